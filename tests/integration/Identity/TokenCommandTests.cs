using Parallax.Identity;
using Parallax.Identity.Tokens;
using Parallax.IntegrationTests.Cli;

namespace Parallax.IntegrationTests.Identity;

/// <summary><c>parallax token</c> and <c>parallax peer</c> as processes, on a swarm's folder.</summary>
public sealed class TokenCommandTests
{
    [Fact]
    public async Task Token_CreateListRevoke_ChangeTheFolder()
    {
        using var swarm = await TestSwarm.FoundAsync();
        var state = swarm.Folder.Path;

        var text = await RunAsync(0, "token", "create", "--role", "worker,router", "--expires", "2h", "--state", state);
        var token = JoinToken.Parse(text);
        using var key = swarm.Folder.LoadOrCreatePeerKey();
        Assert.Equal((swarm.Authority.Swarm, key.Id, MemberRoles.Worker | MemberRoles.Router), (token.Swarm, token.Bootstrap, token.Roles));
        Assert.Contains($"{token.Id}  worker,router  valid", await RunAsync(0, "token", "list", "--state", state), StringComparison.Ordinal);

        Assert.Contains("is revoked", await RunAsync(0, "token", "revoke", token.Id.ToString(), "--state", state), StringComparison.Ordinal);
        Assert.True(swarm.Authority.Revocations.Contains(token.Id));
        Assert.Contains($"{token.Id}  worker,router  revoked", await RunAsync(0, "token", "list", "--state", state), StringComparison.Ordinal);

        Assert.Contains("is revoked", await RunAsync(0, "peer", "revoke", key.Id.ToString(), "--state", state), StringComparison.Ordinal);
        Assert.True(swarm.Authority.Revocations.Contains(key.Id));
    }

    [Fact]
    public async Task Token_WhatIsWrong_IsSaidWithItsExitCode()
    {
        using var swarm = await TestSwarm.FoundAsync();
        var state = swarm.Folder.Path;

        var wrong = await RunAsync(2, "token", "create", "--role", "king", "--expires", "1w", "--pin", "me", "--state", state);
        Assert.All(["--role: 'king'", "--expires: '1w'", "--pin: 'me'"], part => Assert.Contains(part, wrong, StringComparison.Ordinal));
        Assert.Contains("holds no swarm's key", await RunAsync(1, "token", "list", "--state", Path.Combine(state, "elsewhere")), StringComparison.Ordinal);
        Assert.Contains("No token 0123456789abcdef", await RunAsync(1, "token", "revoke", "0123456789abcdef", "--state", state), StringComparison.Ordinal);
        Assert.Contains("is no peer id", await RunAsync(2, "peer", "revoke", "x", "--state", state), StringComparison.Ordinal);
        Assert.Empty(swarm.Authority.Tokens);
        Assert.False(Directory.Exists(Path.Combine(state, "elsewhere")));
    }

    /// <summary>Runs it to its end; standard output, or of a failure what it says of it.</summary>
    private static async Task<string> RunAsync(int code, params string[] arguments)
    {
        await using var process = new CliProcess(arguments);
        var (output, ended) = await process.RunToEndAsync();
        Assert.True(code == ended, $"exit code {ended}: {output}{process.Errors}");
        return code == 0 ? output : process.Errors;
    }
}
