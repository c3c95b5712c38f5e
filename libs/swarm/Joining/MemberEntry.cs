using System.CommandLine;
using System.Net;
using Parallax.Hosting;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Identity.Membership;
using Parallax.Identity.Tokens;

namespace Parallax.Swarm.Joining;

/// <summary>How a process of this machine becomes a member of a swarm that another one founded.</summary>
public static class MemberEntry
{
    private const string TokenVariable = "PARALLAX_TOKEN";
    private const string TokenFileVariable = "PARALLAX_TOKEN_FILE";

    /// <summary>The token's option.</summary>
    public static Option<string?> TokenOption() => new("--token")
    {
        Description = $"The join token, or the variable {TokenVariable}. Needed once: afterwards the certificate in the state folder will do.",
        HelpName = "token",
    };

    /// <summary>The option of a file that holds the token.</summary>
    public static Option<string?> TokenFileOption() => new("--token-file")
    {
        Description = $"File that holds the join token, or the variable {TokenFileVariable}.",
        HelpName = "path",
    };

    /// <summary>The token of the command line, else of the file, else of the environment; null for none.</summary>
    /// <param name="option">The token.</param>
    /// <param name="file">A file that holds it.</param>
    /// <exception cref="JoinTokenException">It is damaged.</exception>
    /// <exception cref="OptionsException">The file cannot be read.</exception>
    public static JoinToken? ReadToken(string? option, string? file)
    {
        var text = option ?? ReadFile(file) ?? Environment.GetEnvironmentVariable(TokenVariable) ?? ReadFile(Environment.GetEnvironmentVariable(TokenFileVariable));
        return string.IsNullOrEmpty(text) ? null : JoinToken.Parse(text);
    }

    /// <summary>The credentials of an earlier time if they still hold, else what the token is worth.</summary>
    /// <exception cref="IdentityException">Refused, or nobody answers.</exception>
    public static async Task<SwarmCredentials> EnterAsync(Uri bootstrap, JoinToken? token, StateFolder state, PeerKey key, CancellationToken stop)
    {
        var known = state.LoadCredentials(key, TimeProvider.System);
        if (known is not null && (token is null || (token.Swarm == known.Swarm && (known.Member.Roles & token.Roles) == token.Roles))
            && known.Member.NotAfter > TimeProvider.System.GetUtcNow())
        {
            return known;
        }

        known?.Dispose();
        if (token is null)
        {
            throw new OptionsException([
                known is null
                    ? $"--token: joining takes a token; 'parallax token create' on the machine that founded the swarm makes one. (Or {TokenVariable}.)"
                    : $"--token: the certificate of this machine expired at {known.Member.NotAfter:u}; join again with a token."]);
        }

        var credentials = await MembershipClient.JoinAsync(bootstrap, token, key, TimeProvider.System, stop);
        state.Save(credentials);
        return credentials;
    }

    /// <summary>Where to listen when nobody says: loopback where the other member is on it, else everywhere.</summary>
    public static IPAddress DefaultBind(Uri bootstrap) => bootstrap.IsLoopback ? IPAddress.Loopback : IPAddress.Any;

    private static string? ReadFile(string? path)
    {
        if (string.IsNullOrEmpty(path))
        {
            return null;
        }

        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionsException([$"--token-file: '{path}' cannot be read: {e.Message}"]);
        }
    }
}
