using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.IntegrationTests.Services;
using Parallax.Router.Sessions;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.IntegrationTests.Identity;

/// <summary>Links and control streams between members.</summary>
public sealed class SecureLinkTests
{
    private static readonly RowRun Row = new(
        new SessionId(Guid.Parse("11111111-2222-3333-4444-555555555555")), new Contracts.Identifiers.Epoch(1, Guid.Empty, 0), 1, RowKind.Forward, 0, 1, TensorType.Bf16, 16);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_BetweenWorkers_CarriesFramesAndSurvivesRenewalOfBothCertificates()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var a = await StartAsync(swarm);
        await using var b = await StartAsync(swarm);
        a.Hub.Connect(b.Id, b.Address);
        var (near, far) = (await a.Ups.Reader.ReadAsync(Token), await b.Ups.Reader.ReadAsync(Token));
        await ExchangeAsync(1);

        swarm.Clock.Shift = TimeSpan.FromHours(13);
        a.Credentials.Replace(swarm.Authority.Issue(a.Credentials.Key.PublicKey.Span, MemberRoles.Worker));
        b.Credentials.Replace(swarm.Authority.Issue(b.Credentials.Key.PublicKey.Span, MemberRoles.Worker));
        swarm.Clock.Shift = TimeSpan.FromHours(26); // the certificates that the connection began with have expired
        await ExchangeAsync(2);

        Assert.Equal((near.Generation, far.Generation), (near.Link.Generation, far.Link.Generation));
        Assert.False(a.Downs.Reader.TryPeek(out _) || b.Downs.Reader.TryPeek(out _));

        async Task ExchangeAsync(byte mark)
        {
            Send(near, mark);
            Send(far, (byte)(mark + 100));
            Assert.Equal(mark, await b.Frames.Reader.ReadAsync(Token));
            Assert.Equal(mark + 100, await a.Frames.Reader.ReadAsync(Token));
        }
    }

    [Fact]
    public async Task Hello_WithAnothersId_IsRefusedOnBothStreams()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var a = await StartAsync(swarm);
        await using var victim = await StartAsync(swarm);
        victim.Hub.Connect(a.Id, a.Address);
        await a.Ups.Reader.ReadAsync(Token);
        var impostor = swarm.Member(MemberRoles.Worker);
        using var caller = Caller.Member(impostor, a.Address);

        foreach (var heartbeats in new[] { false, true })
        {
            foreach (var claimed in new[] { victim.Id, "w-1", impostor.Self.ToString().ToUpperInvariant() })
            {
                var refused = await Assert.ThrowsAsync<RpcException>(() => caller.GreetAsync(claimed, heartbeats));
                Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
                Assert.Contains($"The Hello names {claimed} and the certificate {impostor.Self}", refused.Status.Detail, StringComparison.Ordinal);
            }
        }

        Assert.False(a.Ups.Reader.TryPeek(out _));
        Assert.False(a.Downs.Reader.TryPeek(out _)); // the victim's link stands
        Assert.True(a.Log.Has("Warning", impostor.Self.ToString(), $"said Hello as {victim.Id}", "127.0.0.1"));
    }

    [Fact]
    public async Task Connect_IdOfNobody_IsAnErrorAtOnce()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var a = await StartAsync(swarm);

        Assert.Contains("no peer id", Assert.Throws<IdentityException>(() => a.Hub.Connect("w-1", new Uri("https://127.0.0.1:1"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ApplyRevocations_PeerOfAnOpenLink_ClosesItAndItDoesNotComeBack(bool onTheDiallingSide)
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var a = await StartAsync(swarm);
        await using var b = await StartAsync(swarm);
        a.Hub.Connect(b.Id, b.Address);
        await a.Ups.Reader.ReadAsync(Token);
        await b.Ups.Reader.ReadAsync(Token);
        var (judge, condemned) = onTheDiallingSide ? (a, b) : (b, a);

        await swarm.Authority.RevokePeerAsync(condemned.Credentials.Self, Token);
        judge.Credentials.ApplyRevocations(swarm.Authority.Revocations.Envelope.Span);

        await judge.Downs.Reader.ReadAsync(Token);
        await condemned.Downs.Reader.ReadAsync(Token);
        using var caller = onTheDiallingSide
            ? Caller.Member(judge.Credentials, condemned.Address)
            : Caller.Member(condemned.Credentials, judge.Address);
        var refused = await Assert.ThrowsAsync<RpcException>(() => caller.GreetAsync(condemned.Id, heartbeats: false));
        Assert.Contains("revoked", $"{refused.Status.Detail} {refused.Status.DebugException}", StringComparison.Ordinal);
        Assert.False(judge.Ups.Reader.TryPeek(out _));
    }

    [Fact]
    public async Task WorkerLink_WithARoutersCredentials_ConnectsAndEndsWhenRevoked()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await SwarmNode.StartAsync(swarm.Member(MemberRoles.Worker), swarm.Clock);
        var router = swarm.Member(MemberRoles.Router);
        using var link = Open(router, node.Credentials.Self.ToString());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = link.RunAsync(stop.Token);
        await Eventually.TrueAsync(() => link.IsServing);
        Assert.Equal(node.Credentials.Self.ToString(), link.Offer!.WorkerId);

        await swarm.Authority.RevokePeerAsync(router.Self, Token);
        node.Credentials.ApplyRevocations(swarm.Authority.Revocations.Envelope.Span);

        await Eventually.TrueAsync(() => !link.IsServing && link.Problem.Contains("is revoked", StringComparison.Ordinal));
        await stop.CancelAsync();
        await running;

        WorkerLink Open(SwarmCredentials credentials, string? expected) => new(
            [node.Address], expected, Guid.NewGuid(), new WorkerLinkOptions(), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<WorkerLink>.Instance, credentials);
    }

    [Fact]
    public async Task WorkerLink_WithoutTheRole_SaysWhichIsMissing()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await SwarmNode.StartAsync(swarm.Member(MemberRoles.Worker), swarm.Clock);
        using var link = new WorkerLink(
            [node.Address], null, Guid.NewGuid(), new WorkerLinkOptions(), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<WorkerLink>.Instance, swarm.Member(MemberRoles.Worker));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = link.RunAsync(stop.Token);

        await Eventually.TrueAsync(() => link.Problem.Contains("Control is for router", StringComparison.Ordinal));
        await stop.CancelAsync();
        await running;
    }

    private static Task<SecureLinkPeer> StartAsync(TestSwarm swarm) => SecureLinkPeer.StartAsync(swarm.Member(MemberRoles.Worker), swarm.Clock);

    private static void Send((Link Link, long Generation) up, byte mark)
    {
        using var builder = new RowFrameBuilder(TensorBufferPool.Shared);
        Assert.Equal(1, builder.Append(Row, out var space));
        space.Payload.Fill(mark);
        Assert.Equal(SendResult.Queued, up.Link.TrySend(builder.Complete()!, FramePriority.Decode, up.Generation));
    }
}
