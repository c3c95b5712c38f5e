using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Overlay;
using Parallax.Swarm;
using Parallax.Swarm.Members;
using Parallax.UnitTests.Identity;

namespace Parallax.UnitTests.Swarm;

/// <summary>A member over an overlay in memory, on a clock that is set by hand.</summary>
public sealed class SwarmMemberTests : IAsyncDisposable
{
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private readonly IdentityFixture _swarm = new();
    private readonly List<IDisposable> _owned = [];
    private readonly CountingClock _clock;
    private readonly PeerKey _key = PeerKey.Create();
    private readonly FakeOverlay _overlay;
    private readonly FakeRecord _record = new();
    private readonly SwarmMember _member;

    public SwarmMemberTests()
    {
        _clock = new CountingClock(_swarm.Now);
        _overlay = new FakeOverlay(_key.PublicKey);
        _member = Member(_key, MemberRoles.Worker, _overlay, _record);
        _member.Addresses = ["https://10.0.0.2:7100"];
    }

    [Fact]
    public async Task Record_IsPublishedOnceAndRenewedThreeTimesALease()
    {
        _member.Start();
        await AtRestAsync();
        Assert.Single(_overlay.Put);
        Assert.Equal("https://10.0.0.2:7100", Assert.Single(Own(_overlay.Put[0]).Addresses));

        await PassAsync(Lease / 3 - Round);
        Assert.Single(_overlay.Sealed);

        await PassAsync(Round);
        Assert.Equal(2, _overlay.Put.Length);

        await PassAsync(Lease);
        Assert.Equal(5, _overlay.Put.Length);
        Assert.Equal([1, 2, 3, 4, 5], _overlay.Put.Select(record => Own(record).Sequence));
    }

    [Fact]
    public async Task Figures_AreToldToWhoAsks_AndDoNotGoWide()
    {
        _member.Start();
        await AtRestAsync();

        _record.Say(static record => record.Load = new Load { Sessions = 3 });
        await PassAsync(Round);

        Assert.Single(_overlay.Put);
        Assert.Equal(2, _overlay.Sealed.Length);
        var reply = _member.Answer(new ProbeMemberRequest { Incarnation = 1, Sequence = 1 });
        Assert.Equal(3, Own(_overlay.Open(reply.Record.Memory)!).Load.Sessions);
        Assert.Empty(_member.Answer(new ProbeMemberRequest { Incarnation = 1, Sequence = 2 }).Record);
    }

    [Fact]
    public async Task WhatItServes_GoesWideAtOnce()
    {
        _member.Start();
        await AtRestAsync();

        _record.Say(static record => record.Phase = WorkerPhase.Loading, isUrgent: true);
        await EventuallyAsync(() => _overlay.Put.Length == 2);

        Assert.Equal(WorkerPhase.Loading, Own(_overlay.Put[1]).Phase);
        Assert.Equal(WorkerPhase.Loading, _member.Map.Workers[_member.Self].Record.Phase);
    }

    [Fact]
    public async Task Leaving_ReplacesTheRecordByAnEmptyOne_AndNothingFollows()
    {
        _member.Start();
        await AtRestAsync();

        await _member.LeaveAsync(TestContext.Current.CancellationToken);
        Assert.True(_overlay.Put[^1].Value.IsEmpty);
        var put = _overlay.Put.Length;

        _record.Say(static record => record.Phase = WorkerPhase.Draining);
        await PassAsync(Lease);
        Assert.Equal(put, _overlay.Put.Length);
    }

    [Fact]
    public void Worker_ThatSaysGoodbye_IsGone_AndOnlyANewerRecordBringsItBack()
    {
        using var other = PeerKey.Create();
        Assert.Null(_member.Accept(Said(other, incarnation: 7, sequence: 1).Envelope));
        Assert.Single(_member.Map.Workers);

        Assert.NotNull(_member.Accept(Goodbye(other, incarnation: 7, sequence: 1).Envelope));
        Assert.Single(_member.Map.Workers);

        Assert.Null(_member.Accept(Goodbye(other, incarnation: 7, sequence: 2).Envelope));
        Assert.Empty(_member.Map.Workers);
    }

    [Fact]
    public void Worker_ThatSpeaksForAnother_IsIgnored()
    {
        using var one = PeerKey.Create();
        using var other = PeerKey.Create();
        var record = new WorkerRecord { WorkerId = other.Id.ToString() };

        Assert.Contains("its own", _member.Accept(Found(one, record.ToByteArray(), 1, 1).Envelope), StringComparison.Ordinal);
        Assert.NotNull(_member.Accept(Found(one, new byte[] { 0xff, 0xff }, 1, 1).Envelope));
        Assert.NotNull(_member.Accept(new byte[] { 1, 2, 3 }));
        Assert.Empty(_member.Map.Workers);
    }

    [Fact]
    public async Task Plan_OfAScheduler_IsTakenAndPassedOn()
    {
        var sealedPlan = await PublishedAsync(MemberRoles.Scheduler, new PlanRecord { Term = 2, Version = 5 });

        Assert.Null(_member.Accept(sealedPlan));
        Assert.Equal((2, 5), (_member.Map.Plan!.Term, _member.Map.Plan.Version));
        Assert.True(_member.Map.HasLivePlan(_member.Now));
        Assert.NotEmpty(_member.Answer(new ProbeMemberRequest()).Plan);

        // Its time to live goes on counting down where it is held.
        _clock.Advance(Lease);
        Assert.False(_member.Map.HasLivePlan(_member.Now));
        Assert.Empty(_member.Answer(new ProbeMemberRequest()).Plan);
        Assert.Equal("nothing newer", _member.Accept(await PublishedAsync(MemberRoles.Scheduler, new PlanRecord { Term = 2, Version = 4 })));
    }

    [Theory]
    [InlineData(MemberRoles.Worker)]
    [InlineData(MemberRoles.Router)]
    public async Task Plan_OfAnyoneElse_IsIgnored(MemberRoles roles)
    {
        var sealedPlan = await PublishedAsync(roles, new PlanRecord { Term = 99, Version = 1 });

        Assert.Contains("not to be believed", _member.Accept(sealedPlan), StringComparison.Ordinal);
        Assert.Null(_member.Map.Plan);
    }

    [Fact]
    public void Plan_ThatNobodySigned_IsIgnored()
    {
        using var anyone = PeerKey.Create();
        var plan = FakeOverlay.Record(
            anyone.PublicKey, SwarmNames.Plan(_member.Swarm), new PlanRecord { Term = 99, Version = 1 }.ToByteArray(), 1, 1, Lease);

        Assert.Contains("not to be believed", _member.Accept(plan.Envelope), StringComparison.Ordinal);
        Assert.Null(_member.Map.Plan);
    }

    public async ValueTask DisposeAsync()
    {
        await _member.DisposeAsync();
        _owned.ForEach(static one => one.Dispose());
        _key.Dispose();
        _swarm.Dispose();
    }

    private static WorkerRecord Own(FoundRecord record) => WorkerRecord.Parser.ParseFrom(record.Value.Span);

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    private SwarmMember Member(PeerKey key, MemberRoles roles, IOverlay overlay, IMemberRecord? record)
    {
        var credentials = _swarm.Member(key, roles);
        _owned.Add(credentials);
        return new SwarmMember(
            new MemberOptions { Swarm = credentials.Swarm.ToString(), Lease = Lease }, overlay, credentials, record, news: null, _clock, NullLogger<SwarmMember>.Instance);
    }

    /// <summary>Each of the three loops waits for its next round.</summary>
    private Task AtRestAsync() => EventuallyAsync(() => _clock.Running == 3);

    private async Task PassAsync(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += Round)
        {
            _clock.Advance(Round);
            await AtRestAsync();
        }
    }

    /// <summary>The envelope of a plan that a member of these roles has published.</summary>
    private async Task<ReadOnlyMemory<byte>> PublishedAsync(MemberRoles roles, PlanRecord plan)
    {
        using var key = PeerKey.Create();
        var overlay = new FakeOverlay(key.PublicKey);
        await using var member = Member(key, roles, overlay, record: null);
        await member.PublishPlanAsync(plan, Lease, TestContext.Current.CancellationToken);
        return Assert.Single(overlay.Put).Envelope;
    }

    private FoundRecord Said(PeerKey by, long incarnation, long sequence) =>
        Found(by, new WorkerRecord { WorkerId = by.Id.ToString(), Incarnation = incarnation, Sequence = sequence }.ToByteArray(), incarnation, sequence);

    private FoundRecord Goodbye(PeerKey by, long incarnation, long sequence) => Found(by, ReadOnlyMemory<byte>.Empty, incarnation, sequence);

    private FoundRecord Found(PeerKey by, ReadOnlyMemory<byte> value, long incarnation, long sequence) =>
        FakeOverlay.Record(by.PublicKey, SwarmNames.Workers(_member.Swarm), value, incarnation, sequence, Lease);
}
