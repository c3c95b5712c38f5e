using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Parallax.Identity.Authority;

namespace Parallax.Identity.Membership;

/// <summary>Where the swarm's key is: applies what a command wrote into the swarm's folder, within two seconds.</summary>
internal sealed partial class RevocationWatch(
    SwarmCredentials credentials, SwarmAuthority authority, TimeProvider clock, ILogger<RevocationWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        var told = false;
        do
        {
            try
            {
                var present = authority.Revocations;
                if (present.Version > credentials.Revocations.Version)
                {
                    credentials.ApplyRevocations(present.Envelope.Span);
                    LogApplied(present.Version, present.Peers.Count, present.Tokens.Count);
                }

                told = false;
            }
            catch (IdentityException e)
            {
                if (!told)
                {
                    LogDamaged(e.Message);
                }

                told = true; // once, not every two seconds
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Revocations {Version} hold: {Peers} peers, {Tokens} tokens")]
    private partial void LogApplied(long version, int peers, int tokens);

    [LoggerMessage(Level = LogLevel.Error, Message = "Revocations cannot be read: {Reason}")]
    private partial void LogDamaged(string reason);
}
