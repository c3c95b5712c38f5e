using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Overlay;
using Parallax.Testing.Servers;
using Wire = Parallax.Contracts.V1;

namespace Parallax.IntegrationTests.Overlay;

/// <summary>Real nodes over real sockets, in one process.</summary>
public sealed class OverlayNodeTests : IAsyncDisposable
{
    private static readonly OverlayKey Key = OverlayKey.Of("tests", "workers");
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    private readonly List<OverlayMember> _members = [];

    [Fact]
    public async Task Members_OneBootstrapAddress_EachFindsAll()
    {
        await StartManyAsync(8);
        for (var i = 0; i < _members.Count; i++)
        {
            Assert.InRange(await _members[i].PutAsync(Key, [(byte)i], Lease), 3, 8);
        }

        foreach (var member in _members)
        {
            var found = await member.GetAsync(Key);
            Assert.Equal(_members.Select(static other => other.Id).Order(), found.Keys.Order());
            Assert.All(Enumerable.Range(0, 8), i => Assert.Equal((byte)i, found[_members[i].Id].Value.Span[0]));
            await UntilAsync(() => Task.FromResult(member.Node.Peers.Length == 7), "seven peers are known");
            Assert.All(member.Node.Peers, static peer => Assert.True(peer.RoundTrip > TimeSpan.Zero));
        }

        var nearest = await _members[3].Node.FindPeersAsync(_members[5].Id, TestContext.Current.CancellationToken);
        Assert.Equal(_members[5].Id, nearest[0].Id);
    }

    [Fact]
    public async Task Member_Alone_KeepsItsRecords()
    {
        await StartManyAsync(1);
        Assert.Equal(1, await _members[0].PutAsync(Key, [1], Lease));
        Assert.Single(await _members[0].GetAsync(Key));
        await _members[0].Node.RemoveAsync(Key, TestContext.Current.CancellationToken);
        Assert.Empty(await _members[0].GetAsync(Key));
    }

    [Fact]
    public async Task Member_Killed_OthersGoOn_AndItsRecordGoesWithItsLease()
    {
        await StartManyAsync(6);
        var lease = TimeSpan.FromSeconds(3);
        await _members[2].PutAsync(Key, [2], lease);
        await _members[4].PutAsync(Key, [4], lease);
        var (gone, stays) = (_members[2].Id, _members[4].Id);
        await _members[2].DisposeAsync();
        _members.RemoveAt(2);
        await _members[3].PutAsync(OverlayKey.Of("tests", "other"), [9], Lease);
        foreach (var member in _members)
        {
            // The other is renewed all the while.
            await UntilAsync(async () => (await member.GetAsync(Key)).Keys.SequenceEqual([stays]), "only the killed member's record has expired");
            Assert.Single(await member.GetAsync(OverlayKey.Of("tests", "other")));
            await UntilAsync(() => Task.FromResult(member.Node.Peers.All(peer => peer.Id != gone)), "the killed member has left the table");
        }
    }

    [Fact]
    public async Task Member_RestartedWithAHigherIncarnation_Wins()
    {
        await StartManyAsync(5);
        for (var i = 0; i < 4; i++)
        {
            await _members[3].PutAsync(Key, [1], Lease);
        }

        var pem = _members[3].ExportPem();
        await _members[3].DisposeAsync();
        _members[3] = await OverlayMember.StartAsync([_members[0].Address], pem, incarnation: 2);
        await _members[3].Node.Joined.WaitAsync(TestContext.Current.CancellationToken);
        await _members[3].PutAsync(Key, [2], Lease);
        foreach (var member in _members)
        {
            var found = Assert.Single((await member.GetAsync(Key)).Values);
            Assert.Equal((2, 2L), ((int)found.Value.Span[0], found.Incarnation));
        }
    }

    [Fact]
    public async Task Records_LargerTogetherThanAPage_AllArrive()
    {
        await StartManyAsync(9);
        foreach (var member in _members)
        {
            await member.PutAsync(Key, new byte[OverlayLimits.MaxValueBytes], Lease);
        }

        Assert.Equal(9, (await _members[4].GetAsync(Key)).Count);
    }

    [Fact]
    public async Task Remove_HidesTheRecordFromAll()
    {
        await StartManyAsync(5);
        await _members[1].PutAsync(Key, [1], Lease);
        await _members[1].Node.RemoveAsync(Key, TestContext.Current.CancellationToken);
        foreach (var member in _members)
        {
            Assert.Empty(await member.GetAsync(Key));
        }
    }

    [Fact]
    public async Task Bootstrap_ThatIsNotThereYet_IsTriedAgain()
    {
        var port = ServerPrograms.FreePort();
        _members.Add(await OverlayMember.StartAsync([new Uri($"http://127.0.0.1:{port}")]));
        Assert.Equal(1, await _members[0].PutAsync(Key, [1], Lease));
        Assert.False(_members[0].Node.Joined.IsCompleted);
        _members.Add(await OverlayMember.StartAsync([], port: port));
        await _members[0].Node.Joined.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await UntilAsync(async () => (await _members[1].GetAsync(Key)).Count == 1, "the record has come across");
    }

    [Fact]
    public async Task Store_ForgedOverTheWire_IsRefusedAndCounted()
    {
        await StartManyAsync(3);
        await _members[1].PutAsync(Key, [1], Lease);
        var genuine = Wire.OverlayRecord.Parser.ParseFrom((await _members[0].GetAsync(Key)).Values.Single().Envelope.Span);
        using var stranger = PeerKey.Create();
        var forged = genuine.Clone();
        (forged.Sequence, forged.Value) = (genuine.Sequence + 1, Google.Protobuf.ByteString.CopyFromUtf8("forged"));
        var lengthened = genuine.Clone();
        (lengthened.Sequence, lengthened.LeaseMs, lengthened.RemainingMs) = (genuine.Sequence + 1, 3_600_000, 3_600_000);
        var oversized = genuine.Clone();
        oversized.Value = Google.Protobuf.ByteString.CopyFrom(new byte[OverlayLimits.MaxValueBytes + 1]);
        var stale = genuine.Clone();
        stale.Sequence--;
        var expired = genuine.Clone();
        expired.RemainingMs = 0;
        var request = new Wire.StoreRequest { Self = OverlayMember.Self(stranger.Id) };
        request.Records.AddRange([forged, oversized, lengthened, stale, expired, genuine]);
        var reply = await _members[0].Client.StoreAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(
            [Wire.StoreResult.Refused, Wire.StoreResult.Refused, Wire.StoreResult.Refused, Wire.StoreResult.Older, Wire.StoreResult.Refused, Wire.StoreResult.Stored],
            reply.Results);
        var node = _members[0].Node;
        Assert.Equal((2, 1, 1), (node.Refused(OverlayRefusal.Forged), node.Refused(OverlayRefusal.Oversized), node.Refused(OverlayRefusal.Expired)));
        Assert.Equal(1, node.Refused(OverlayRefusal.Stale));
        Assert.Equal(1, (await _members[2].GetAsync(Key)).Values.Single().Value.Span[0]);
    }

    [Fact]
    public async Task Calls_BadFields_AreInvalid()
    {
        await StartManyAsync(1);
        var (client, stop) = (_members[0].Client, TestContext.Current.CancellationToken);
        using var stranger = PeerKey.Create();
        var self = OverlayMember.Self(stranger.Id);
        var rude = self.Clone();
        rude.Address = "ftp://10.0.0.1:1";
        var tooMany = new Wire.StoreRequest { Self = self };
        tooMany.Records.AddRange(Enumerable.Range(0, 65).Select(static _ => new Wire.OverlayRecord()));
        Assert.Equal(StatusCode.InvalidArgument, await OverlayMember.StatusOf(client.PingAsync(new Wire.PingRequest(), cancellationToken: stop).ResponseAsync));
        Assert.Equal(StatusCode.InvalidArgument, await OverlayMember.StatusOf(client.PingAsync(new Wire.PingRequest { Self = rude }, cancellationToken: stop).ResponseAsync));
        Assert.Equal(StatusCode.InvalidArgument, await OverlayMember.StatusOf(client.FindNodeAsync(new Wire.FindNodeRequest { Self = self }, cancellationToken: stop).ResponseAsync));
        Assert.Equal(StatusCode.InvalidArgument, await OverlayMember.StatusOf(client.FindValueAsync(new Wire.FindValueRequest { Self = self, Key = self.Id, After = Google.Protobuf.ByteString.CopyFrom(1) }, cancellationToken: stop).ResponseAsync));
        Assert.Equal(StatusCode.InvalidArgument, await OverlayMember.StatusOf(client.StoreAsync(tooMany, cancellationToken: stop).ResponseAsync));
        Assert.Equal(StatusCode.OK, await OverlayMember.StatusOf(client.PingAsync(new Wire.PingRequest { Self = self }, cancellationToken: stop).ResponseAsync));
        Assert.Empty(_members[0].Node.Peers);
    }

    [Fact]
    public async Task Calls_TooMany_AreTurnedAwayAndCounted_OthersAreServed()
    {
        _members.Add(await OverlayMember.StartAsync([], configure: static options => (options.CallsPerSecond, options.CallBurst) = (0.001, 70)));
        var (client, stop) = (_members[0].Client, TestContext.Current.CancellationToken);
        using var flooding = PeerKey.Create();
        using var other = PeerKey.Create();
        var statuses = new List<StatusCode>();
        for (var i = 0; i < 80; i++)
        {
            statuses.Add(await OverlayMember.StatusOf(client.PingAsync(new Wire.PingRequest { Self = OverlayMember.Self(flooding.Id) }, cancellationToken: stop).ResponseAsync));
        }

        Assert.Equal(70, statuses.Count(static status => status == StatusCode.OK));
        Assert.Equal(10, statuses.Count(static status => status == StatusCode.ResourceExhausted));
        Assert.Equal(10, _members[0].Node.Refused(OverlayRefusal.RateLimited));
        Assert.Equal(StatusCode.OK, await OverlayMember.StatusOf(client.PingAsync(new Wire.PingRequest { Self = OverlayMember.Self(other.Id) }, cancellationToken: stop).ResponseAsync));
    }

    [Fact]
    public async Task Calls_IdOtherThanTheCertificates_AreRefused()
    {
        using var caller = PeerKey.Create();
        using var other = PeerKey.Create();
        // A header stands for the certificate: what is tested is what the overlay makes of the id that it is told.
        _members.Add(await OverlayMember.StartAsync([], configure: static options =>
            options.CallerIdentity = static context => PeerId.TryParse(context.RequestHeaders.GetValue("certificate"), out var id) ? id : null));
        var (client, stop) = (_members[0].Client, TestContext.Current.CancellationToken);
        Task<Wire.PingReply> Ping(PeerId claimed, PeerId? certified) => client.PingAsync(
            new Wire.PingRequest { Self = OverlayMember.Self(claimed) },
            certified is { } id ? new Metadata { { "certificate", id.ToString() } } : null,
            cancellationToken: stop).ResponseAsync;
        Assert.Equal(StatusCode.OK, await OverlayMember.StatusOf(Ping(caller.Id, caller.Id)));
        Assert.Equal(StatusCode.PermissionDenied, await OverlayMember.StatusOf(Ping(other.Id, caller.Id)));
        Assert.Equal(StatusCode.Unauthenticated, await OverlayMember.StatusOf(Ping(caller.Id, null)));
        Assert.Equal(2, _members[0].Node.Refused(OverlayRefusal.WrongIdentity));
    }

    [Fact]
    public async Task Seal_ThenOpen_GivesTheRecord_AndNothingThatWasChanged()
    {
        await StartManyAsync(2);
        var record = _members[0].Node.Seal(Key, new byte[] { 1, 2, 3 }, Lease);
        var opened = _members[1].Node.Open(record.Envelope)!;
        Assert.Equal((Key, _members[0].Id, 3, record.Sequence), (opened.Key, opened.Publisher, opened.Value.Length, opened.Sequence));
        Assert.Empty(await _members[1].GetAsync(Key));
        for (var i = 0; i < record.Envelope.Length; i++)
        {
            var changed = record.Envelope.ToArray();
            changed[i] ^= 1;
            // The remaining time is the one field that is not signed.
            var outcome = _members[1].Node.Open(changed);
            Assert.True(outcome is null || (outcome.Value.Span.SequenceEqual(record.Value.Span) && outcome.Sequence == record.Sequence && outcome.Remaining <= Lease));
        }

        Assert.True(_members[1].Node.Refused(OverlayRefusal.Forged) > 100);
        await Assert.ThrowsAsync<ArgumentException>(() => _members[1].Node.PutAsync(record, TestContext.Current.CancellationToken));
        Assert.Throws<OverlayException>(() => _members[0].Node.Seal(Key, new byte[OverlayLimits.MaxValueBytes + 1], Lease));
    }

    [Fact]
    public async Task Dispose_WithAnOperationUnderWay_EndsIt()
    {
        await StartManyAsync(1);
        var ghost = _members[0].Id;
        var port = _members[0].Address.Port;
        _members.Add(await OverlayMember.StartAsync([_members[0].Address], configure: static options => options.CallTimeout = TimeSpan.FromMinutes(1)));
        await _members[1].Node.Joined.WaitAsync(TestContext.Current.CancellationToken);
        await _members[0].DisposeAsync();
        using var silent = new TcpListener(IPAddress.Loopback, port); // takes connections and never says a word
        silent.Start();
        var node = _members[1].Node;
        var finding = node.FindPeersAsync(ghost, TestContext.Current.CancellationToken);
        await _members[1].DisposeAsync();
        _members.Clear();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => finding.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => node.GetAsync(Key, TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members)
        {
            await member.DisposeAsync();
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!await holds())
        {
            Assert.False(limit.IsCancellationRequested, $"90 s have passed before {what}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private async Task StartManyAsync(int count) => _members.AddRange(await OverlayMember.StartManyAsync(count));
}
