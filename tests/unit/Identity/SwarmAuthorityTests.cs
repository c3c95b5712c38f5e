using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Identity.Revocation;
using Parallax.Identity.Tokens;

namespace Parallax.UnitTests.Identity;

public sealed class SwarmAuthorityTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("parallax-identity-");
    private readonly IdentityFixture _swarm = new();

    private StateFolder Folder => new(Path.Combine(_root.FullName, "swarm"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _swarm.Dispose();
        _root.Delete(recursive: true);
    }

    [Fact]
    public async Task OpenOrFound_Twice_IsTheSameSwarm()
    {
        using var first = await FoundAsync();
        using var second = await FoundAsync();
        using var third = SwarmAuthority.Open(Folder, _swarm.Clock);

        Assert.Equal((first.Swarm, first.Swarm), (second.Swarm, third.Swarm));
        Assert.True(first.Certificate.Span.SequenceEqual(third.Certificate.Span));
    }

    [Fact]
    public async Task OpenOrFound_ManyAtOnce_FoundOneSwarm()
    {
        var authorities = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => SwarmAuthority.OpenOrFoundAsync(Folder, TimeProvider.System, Token), Token)));

        Assert.Single(authorities.Select(static authority => authority.Swarm).Distinct());
        Array.ForEach(authorities, static authority => authority.Dispose());
    }

    [Fact]
    public async Task Files_OfTheFolder_AreTheOwnersOnly()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("File modes are Unix's.");
            return;
        }

        using var authority = await FoundAsync();
        using var key = Folder.LoadOrCreatePeerKey();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Folder.Path, "swarm.key")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Folder.Path, "peer.key")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder.Path));

        File.SetUnixFileMode(Path.Combine(Folder.Path, "swarm.key"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<IdentityException>(() => SwarmAuthority.Open(Folder, _swarm.Clock)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NoSwarmOrDamaged_SaysWhatToDo()
    {
        Assert.Contains("--state", Assert.Throws<IdentityException>(() => SwarmAuthority.Open(Folder, _swarm.Clock)).Message, StringComparison.Ordinal);
        Folder.Write("swarm.key", "no key"u8);
        Assert.Contains("cannot be read as a key", Assert.Throws<IdentityException>(() => SwarmAuthority.Open(Folder, _swarm.Clock)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_CertificateOfAnotherSwarm_IsRefused()
    {
        (await FoundAsync()).Dispose();
        Folder.Write("swarm.crt", _swarm.Authority);

        Assert.Contains("do not belong together", Assert.Throws<IdentityException>(() => SwarmAuthority.Open(Folder, _swarm.Clock)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CreateToken_IsSignedListedAndForgottenAMonthAfterItsEnd()
    {
        using var authority = await FoundAsync();
        var token = await authority.CreateTokenAsync(_swarm.SwarmKey.Id, MemberRoles.Router, TimeSpan.FromDays(1), Token);

        using var key = Folder.ReadKey("swarm.key");
        Assert.True(token.IsSignedBy(key!.PublicKey.Span));
        Assert.Equal(_swarm.Now.AddDays(1), token.Expires);
        var listed = Assert.Single(authority.Tokens);
        Assert.Equal((token.Id.ToString(), "router", _swarm.SwarmKey.Id.ToString()), (listed.IdText, listed.RolesText, listed.BootstrapText));
        Assert.DoesNotContain(token.ToString(), File.ReadAllText(Path.Combine(Folder.Path, "tokens.json")), StringComparison.Ordinal);

        _swarm.Clock.Advance(TimeSpan.FromDays(32));
        var next = await authority.CreateTokenAsync(_swarm.SwarmKey.Id, MemberRoles.Worker, TimeSpan.FromDays(1), Token);
        Assert.Equal(next.Id.ToString(), Assert.Single(authority.Tokens).IdText);
    }

    [Fact]
    public async Task Revoke_ByAnotherProcess_IsSeenAndVersionsRise()
    {
        using var running = await FoundAsync();
        using var command = SwarmAuthority.Open(Folder, _swarm.Clock);
        var (token, peer) = (TokenId.Create(), _swarm.SwarmKey.Id);
        Assert.Equal(0, running.Revocations.Version);

        Assert.True(await command.RevokeTokenAsync(token, Token));
        Assert.False(await command.RevokeTokenAsync(token, Token));
        Assert.True(running.Revocations is { Version: 1 } first && first.Contains(token));
        Assert.True(await running.RevokePeerAsync(peer, Token));
        Assert.True(command.Revocations is { Version: 2 } second && second.Contains(token) && second.Contains(peer));
    }

    [Fact]
    public async Task Revocations_Damaged_IsAnErrorAndNotAnEmptySet()
    {
        using var authority = await FoundAsync();
        await authority.RevokePeerAsync(_swarm.SwarmKey.Id, Token);
        Folder.Write("revocations", [1, 2, 3, 4]);

        Assert.Contains("damaged", Assert.Throws<IdentityException>(() => authority.Revocations).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Save_AndLoad_AreTheSameMember()
    {
        using var authority = await FoundAsync();
        var member = new StateFolder(Path.Combine(_root.FullName, "member"));
        using var key = member.LoadOrCreatePeerKey();
        using var again = member.LoadOrCreatePeerKey();
        Assert.Equal(key.Id, again.Id);
        Assert.Null(member.LoadCredentials(key, _swarm.Clock));
        using var credentials = authority.CreateCredentials(key, MemberRoles.Worker);
        await authority.RevokePeerAsync(_swarm.SwarmKey.Id, Token);
        Assert.Equal(RevocationOutcome.Applied, credentials.ApplyRevocations(authority.Revocations.Envelope.Span));

        member.Save(credentials);

        using var loaded = member.LoadCredentials(again, _swarm.Clock);
        Assert.Equal((credentials.Self, credentials.Swarm, credentials.Member.Roles, 1L), (loaded!.Self, loaded.Swarm, loaded.Member.Roles, loaded.Revocations.Version));
        using var stranger = PeerKey.Create();
        Assert.Throws<IdentityException>(() => member.LoadCredentials(stranger, _swarm.Clock));
    }

    private Task<SwarmAuthority> FoundAsync() => SwarmAuthority.OpenOrFoundAsync(Folder, _swarm.Clock, Token);
}
