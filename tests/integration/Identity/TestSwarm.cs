using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Identity.Tokens;

namespace Parallax.IntegrationTests.Identity;

/// <summary>A swarm in a folder of its own, with a clock that can be set.</summary>
internal sealed class TestSwarm : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("parallax-swarm-");
    private readonly List<IDisposable> _owned = [];

    private TestSwarm()
    {
        Folder = new StateFolder(Path.Combine(_root.FullName, "founder"));
    }

    public ShiftedClock Clock { get; } = new();

    public StateFolder Folder { get; }

    public SwarmAuthority Authority { get; private set; } = null!;

    public static async Task<TestSwarm> FoundAsync()
    {
        var swarm = new TestSwarm();
        swarm.Authority = await SwarmAuthority.OpenOrFoundAsync(swarm.Folder, swarm.Clock, TestContext.Current.CancellationToken);
        return swarm;
    }

    public PeerKey NewKey()
    {
        var key = PeerKey.Create();
        _owned.Add(key);
        return key;
    }

    /// <summary>A member; with its own clock if one is given.</summary>
    public SwarmCredentials Member(MemberRoles roles, TimeProvider? clock = null)
    {
        var key = NewKey();
        var credentials = new SwarmCredentials(
            key, Authority.Issue(key.PublicKey.Span, roles), Authority.Certificate.Span, Authority.Revocations.Envelope.Span, clock ?? Clock);
        _owned.Add(credentials);
        return credentials;
    }

    public Task<JoinToken> TokenAsync(PeerId bootstrap, MemberRoles roles = MemberRoles.Worker, TimeSpan? life = null) =>
        Authority.CreateTokenAsync(bootstrap, roles, life ?? TimeSpan.FromDays(1), TestContext.Current.CancellationToken);

    public void Dispose()
    {
        _owned.ForEach(static owned => owned.Dispose());
        Authority.Dispose();
        _root.Delete(recursive: true);
    }
}
