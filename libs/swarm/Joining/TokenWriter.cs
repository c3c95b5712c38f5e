using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Identity.Tokens;

namespace Parallax.Swarm.Joining;

/// <summary>Keeps join tokens in files, for members that are started by a machine and not by a person: each always good for half of a token's life.</summary>
internal sealed partial class TokenWriter(
    SwarmAuthority authority, PeerId self, FoundSwarm found, TimeProvider clock, ILogger<TokenWriter> logger) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private volatile string? _problem;

    /// <summary>Why a file has no token that is good; null when all have.</summary>
    public string? Problem => _problem;

    /// <summary>Whether a file's token may stay: it is of this swarm, for these roles, shown to this peer, not revoked, and half of its life is left.</summary>
    internal static bool MayStay(string text, PeerId swarm, PeerId self, MemberRoles roles, Func<TokenId, bool> isRevoked, DateTimeOffset now, TimeSpan life)
    {
        try
        {
            var token = JoinToken.Parse(text);
            return token.Swarm == swarm && token.Bootstrap == self && token.Roles == roles && !isRevoked(token.Id) && token.Expires - now >= life / 2;
        }
        catch (JoinTokenException)
        {
            return false; // half a file, or anything else: it gets a new one
        }
    }

    /// <summary>Writes the files that need it. The first call is made before the host starts, so that what cannot be written fails the start.</summary>
    /// <exception cref="OptionsException">A file cannot be written.</exception>
    public async Task WriteAsync(CancellationToken stop)
    {
        foreach (var file in found.Tokens)
        {
            try
            {
                var present = File.Exists(file.Path) ? await File.ReadAllTextAsync(file.Path, stop) : "";
                if (MayStay(present, authority.Swarm, self, file.Roles, authority.Revocations.Contains, clock.GetUtcNow(), found.TokenLife))
                {
                    continue;
                }

                var token = await authority.CreateTokenAsync(self, file.Roles, found.TokenLife, stop);
                Replace(file.Path, token.ToString());
                LogWritten(token.Id.ToString(), file.Roles.ToText(), file.Path, token.Expires);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new OptionsException([$"--token-out: '{file.Path}' cannot be written: {e.Message}"]);
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await WriteAsync(stoppingToken);
                _problem = null;
            }
            catch (Exception e) when (e is OptionsException or IdentityException)
            {
                if (_problem != e.Message)
                {
                    LogFailed(e.Message);
                }

                _problem = e.Message;
            }
        }
    }

    private static void Replace(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        var draft = path + ".new";
        using (var writer = new StreamWriter(draft, options))
        {
            writer.Write($"{text}\n");
        }

        File.Move(draft, path, overwrite: true);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Token {Token} for {Roles} is in {Path}, good until {Until:u}")]
    private partial void LogWritten(string token, string roles, string path, DateTimeOffset until);

    [LoggerMessage(Level = LogLevel.Error, Message = "Tokens are not kept good: {Reason}")]
    private partial void LogFailed(string reason);
}
