using Parallax.Contracts.Identifiers;
using Parallax.Overlay;
using Parallax.Overlay.Protocol;
using Parallax.Overlay.Records;
using static Parallax.UnitTests.Overlay.TestRecords;

namespace Parallax.UnitTests.Overlay;

/// <summary>One peer's protocol, call by call.</summary>
public sealed class OverlayCoreTests
{
    private readonly CoreDriver _driver = new(new CoreSettings());

    [Fact]
    public void Handle_UnknownCaller_EntersTheTableOnlyAfterItsOwnAnswer()
    {
        var peer = CoreDriver.PeerAt(5);
        _driver.Core.Handle(new OverlayCaller("a", peer), PingCall.Instance, default);
        Assert.Equal(0, _driver.Core.Table.Count);
        var ping = Assert.Single(_driver.Calls());
        Assert.Equal((peer.Id, peer.Address), (ping.Expected, ping.Address));
        Assert.IsType<PingCall>(ping.Request);
        _driver.Answer(ping, PingAnswer.Instance);
        Assert.Equal(1, _driver.Core.Table.Count);
    }

    [Fact]
    public void Handle_CallerThatClaimsMany_CausesFewPings()
    {
        for (var i = 1; i <= 500; i++)
        {
            _driver.Core.Handle(new OverlayCaller("a", CoreDriver.PeerAt(i)), PingCall.Instance, default);
        }

        Assert.InRange(_driver.Calls().Count, 1, 32);
        Assert.Equal(0, _driver.Core.Table.Count);
    }

    [Fact]
    public void Answered_ByAnotherPeer_IsWrongIdentity_AndFailsTheOne()
    {
        _driver.Know(5);
        _driver.Core.Find(CoreDriver.PeerAt(5).Id, default);
        var call = Assert.Single(_driver.Calls());
        _driver.Core.Answered(call.Id, CoreDriver.PeerAt(6).Id, new FindNodeAnswer([]), default, default);
        Assert.Equal(1, _driver.Core.Statistics.Refused(OverlayRefusal.WrongIdentity));
        Assert.Equal(1, _driver.Core.Table.Find(CoreDriver.PeerAt(5).Id)!.Failures);
        Assert.NotNull(_driver.Core.Table.Find(CoreDriver.PeerAt(6).Id));
        Assert.Empty(Assert.Single(_driver.Outputs.OfType<FindDone>()).Peers);
    }

    [Fact]
    public void Answered_FullBucket_CallsTheOldest_WhichStaysWhenItAnswers()
    {
        var driver = new CoreDriver(new CoreSettings { K = 2 });
        driver.Know(1001, 1002);
        var later = TimeSpan.FromMinutes(2);
        driver.Know(later, 1003);
        var ping = Assert.Single(driver.Calls());
        Assert.Equal(CoreDriver.PeerAt(1001).Id, ping.Expected);
        driver.Core.Answered(ping.Id, CoreDriver.PeerAt(1001).Id, PingAnswer.Instance, default, later);
        Assert.NotNull(driver.Core.Table.Find(CoreDriver.PeerAt(1001).Id));
        Assert.Null(driver.Core.Table.Find(CoreDriver.PeerAt(1003).Id));
    }

    [Fact]
    public void Advance_PeerThatNoLongerAnswers_IsLost_AndTriedAgain()
    {
        _driver.Know(5);
        var now = TimeSpan.Zero;
        _driver.Core.Find(CoreDriver.PeerAt(5).Id, now);
        for (var second = 0; second < 30 && _driver.Core.Table.Count > 0; second++)
        {
            foreach (var call in _driver.Calls())
            {
                _driver.Core.Failed(call.Id, CallFailure.NoAnswer, now);
            }

            now += TimeSpan.FromSeconds(1);
            _driver.Core.Advance(now);
        }

        Assert.Equal(0, _driver.Core.Table.Count);
        Assert.Contains(_driver.Outputs, output => output is PeerLost);
        Assert.Equal(1, _driver.Core.Lost);
        var again = new List<CallToMake>();
        for (var i = 0; i < 90; i++)
        {
            _driver.Core.Advance(now += TimeSpan.FromSeconds(1));
            again.AddRange(_driver.Calls().Where(call => call.Address == CoreDriver.PeerAt(5).Address && call.Expected is null));
            if (again.Count > 0)
            {
                break;
            }
        }

        _driver.Core.Answered(again[0].Id, CoreDriver.PeerAt(5).Id, PingAnswer.Instance, default, now);
        Assert.Equal((1, 0), (_driver.Core.Table.Count, _driver.Core.Lost));
    }

    [Fact]
    public void Admit_Flood_IsCounted()
    {
        var driver = new CoreDriver(new CoreSettings { CallBurst = 10, CallsPerSecond = 1 });
        Assert.True(driver.Core.Admit("a", records: 8, default));
        Assert.False(driver.Core.Admit("a", records: 1, default));
        Assert.True(driver.Core.Admit("b", records: 1, default));
        Assert.Equal(1, driver.Core.Statistics.Refused(OverlayRefusal.RateLimited));
    }

    [Fact]
    public void Store_OfOthers_SaysWhatBecameOfEachRecord()
    {
        var core = _driver.Core;
        core.Handle(new OverlayCaller("a", null), new StoreCall([Whole(Record(1, 5))]), default);
        var answer = (StoreAnswer)core.Handle(
            new OverlayCaller("a", null), new StoreCall([Whole(Record(1, 5)), Whole(Record(1, 4)), Whole(Forge(Record(2, 1))), new HeldRecord(Record(3, 1), TimeSpan.Zero)]), default);
        Assert.Equal([StoreOutcome.Stored, StoreOutcome.Older, StoreOutcome.Refused, StoreOutcome.Refused], answer.Outcomes);
        Assert.Equal(1, core.Statistics.Refused(OverlayRefusal.Stale));
        Assert.Equal(1, core.Statistics.Refused(OverlayRefusal.Forged));
        Assert.Equal(1, core.Statistics.Refused(OverlayRefusal.Expired));
    }

    [Fact]
    public void Get_FirstHasAnOldRecord_WaitsForTheNearest_NewestWins_AndIsPassedOn()
    {
        _driver.Know(1, 2, 3, 4);
        _driver.Core.Get(CoreDriver.Near, default);
        var calls = _driver.Calls();
        Assert.Equal(3, calls.Count);
        _driver.Answer(calls[0], Found(Record(9, 1, key: CoreDriver.Near)));
        Assert.DoesNotContain(_driver.Outputs, output => output is GetDone);
        _driver.Answer(calls[1], Found(Record(9, 2, key: CoreDriver.Near)));
        _driver.Answer(calls[2], Found());
        var done = Assert.Single(_driver.Outputs.OfType<GetDone>());
        Assert.Equal(2, Assert.Single(done.Records).Record.Version.Sequence);
        // The nearest that lacks it gets it, with what is left of its life.
        var store = Assert.Single(_driver.Calls());
        Assert.Equal(calls[0].Expected, store.Expected);
        Assert.Equal(TimeSpan.FromSeconds(20), Assert.Single(((StoreCall)store.Request).Records).Remaining);
    }

    [Fact]
    public void Get_NobodyHasAnything_AsksTheKNearest()
    {
        _driver.Know([.. Enumerable.Range(1, 30)]);
        _driver.Core.Get(CoreDriver.Near, default);
        var asked = new HashSet<PeerId?>();
        while (_driver.Calls() is { Count: > 0 } calls)
        {
            foreach (var call in calls)
            {
                asked.Add(call.Expected);
                _driver.Answer(call, Found());
            }
        }

        Assert.Equal(20, asked.Count);
        Assert.Empty(Assert.Single(_driver.Outputs.OfType<GetDone>()).Records);
    }

    [Fact]
    public void Get_ForgedAndForeignRecords_AreNotTaken()
    {
        _driver.Know(1);
        _driver.Core.Get(CoreDriver.Near, default);
        var forged = Forge(Record(9, 7, key: CoreDriver.Near));
        _driver.Answer(Assert.Single(_driver.Calls()), Found(forged, Record(8, 1, key: OverlayKey.Of("swarm", "other")), Record(9, 2, key: CoreDriver.Near)));
        Assert.Equal(2, Assert.Single(Assert.Single(_driver.Outputs.OfType<GetDone>()).Records).Record.Version.Sequence);
        Assert.Equal(1, _driver.Core.Statistics.Refused(OverlayRefusal.Forged));
        Assert.Equal(1, _driver.Core.Statistics.Refused(OverlayRefusal.Malformed));
    }

    [Fact]
    public void Get_Pages_AreReadToTheEnd_ButOnlyForwards()
    {
        _driver.Know(1);
        _driver.Core.Get(CoreDriver.Near, default);
        var records = Enumerable.Range(0, 6).Select(i => Record(i, 1, key: CoreDriver.Near)).OrderBy(record => record.Publisher).ToArray();
        _driver.Answer(Assert.Single(_driver.Calls()), Found(true, records[..3]));
        var second = Assert.Single(_driver.Calls());
        Assert.Equal(records[2].Publisher, ((FindValueCall)second.Request).After);
        // It says that there is more, and sends what it has sent.
        _driver.Answer(second, Found(true, records[..3]));
        Assert.DoesNotContain(_driver.Calls(), call => call.Request is FindValueCall);
        Assert.Equal(3, Assert.Single(_driver.Outputs.OfType<GetDone>()).Records.Length);
    }

    [Fact]
    public void Put_IsDoneWhenTheThreeNearestHold_AndGoesOnToTheRest()
    {
        _driver.Know([.. Enumerable.Range(1, 25)]);
        var core = _driver.Core;
        core.Seal(CoreDriver.Near, new byte[] { 1 }, Lease, default);
        core.Put(CoreDriver.Near, default);
        var stored = new List<PeerId?>();
        while (_driver.Calls() is { Count: > 0 } calls)
        {
            foreach (var call in calls)
            {
                if (call.Request is StoreCall)
                {
                    stored.Add(call.Expected);
                    Assert.Equal(stored.Count <= 3, !_driver.Outputs.OfType<PutDone>().Any());
                    _driver.Answer(call, new StoreAnswer([StoreOutcome.Stored]));
                }
                else
                {
                    _driver.Answer(call, new FindNodeAnswer([]));
                }
            }
        }

        Assert.Equal(Enumerable.Range(1, 20).Select(i => (PeerId?)CoreDriver.PeerAt(i).Id), stored);
        Assert.Equal(4, Assert.Single(_driver.Outputs.OfType<PutDone>()).Holders);
        Assert.Single(core.Store.Read(CoreDriver.Near, null, long.MaxValue, default).Records);
    }

    [Fact]
    public void Put_PeerRefuses_TheNextTakesItsPlace()
    {
        _driver.Know(1, 2, 3, 4);
        _driver.Core.Seal(CoreDriver.Near, new byte[] { 1 }, Lease, default);
        _driver.Core.Put(CoreDriver.Near, default);
        while (_driver.Calls() is { Count: > 0 } calls)
        {
            foreach (var call in calls)
            {
                var isFull = call.Expected == CoreDriver.PeerAt(2).Id;
                _driver.Answer(call, call.Request is StoreCall
                    ? new StoreAnswer([isFull ? StoreOutcome.Full : StoreOutcome.Stored])
                    : new FindNodeAnswer([]));
            }
        }

        Assert.Equal(4, Assert.Single(_driver.Outputs.OfType<PutDone>()).Holders);
    }

    [Fact]
    public void Put_Alone_IsHeldHere()
    {
        _driver.Core.Seal(Key, new byte[] { 1 }, Lease, default);
        _driver.Core.Put(Key, default);
        Assert.Equal(1, Assert.Single(_driver.Outputs.OfType<PutDone>()).Holders);
        _driver.Core.Get(Key, default);
        Assert.Single(Assert.Single(_driver.Outputs.OfType<GetDone>()).Records);
    }

    [Fact]
    public void Advance_RepublishesEveryThirdOfTheLease_WithANewSequence_UntilRemoved()
    {
        var core = _driver.Core;
        core.Seal(Key, new byte[] { 1 }, Lease, default);
        core.Put(Key, default);
        var now = TimeSpan.Zero;
        for (var second = 1; second <= 60; second++)
        {
            core.Advance(now = TimeSpan.FromSeconds(second));
            Assert.True(core.Store.Read(Key, core.Self.Id, now)!.Value.Remaining >= Lease * 0.6);
        }

        var sequence = core.Sealed(Key)!.Version.Sequence;
        Assert.InRange(sequence, 6, 8);
        core.Seal(Key, ReadOnlyMemory<byte>.Empty, Lease, now);
        core.Put(Key, now);
        for (var second = 61; second <= 120; second++)
        {
            core.Advance(now = TimeSpan.FromSeconds(second));
        }

        Assert.Null(core.Sealed(Key));
        Assert.Null(core.Store.Read(Key, core.Self.Id, now));
    }

    [Fact]
    public void Advance_OnlySealed_IsNeitherStoredNorRepublished()
    {
        var core = _driver.Core;
        core.Seal(Key, new byte[] { 1 }, Lease, default);
        core.Advance(TimeSpan.FromSeconds(25));
        Assert.Null(core.Store.Read(Key, core.Self.Id, TimeSpan.FromSeconds(25)));
        core.Advance(TimeSpan.FromSeconds(31));
        Assert.Null(core.Sealed(Key));
    }

    [Fact]
    public void Seen_NewPeerNearestToAKey_GetsItsRecords()
    {
        _driver.Core.Handle(new OverlayCaller("a", null), new StoreCall([Whole(Record(9, 1, key: CoreDriver.Near))]), default);
        _driver.Know(TimeSpan.FromSeconds(10), 1);
        var store = Assert.Single(_driver.Calls(), call => call.Request is StoreCall);
        Assert.Equal(TimeSpan.FromSeconds(20), Assert.Single(((StoreCall)store.Request).Records).Remaining);
    }

    [Fact]
    public void Advance_RecordOfAPublisherThatIsGone_IsHandedOn()
    {
        _driver.Know(1);
        var longLived = Record(9, 1, key: CoreDriver.Near, lease: TimeSpan.FromHours(2));
        _driver.Core.Handle(new OverlayCaller("a", null), new StoreCall([Whole(longLived)]), default);
        var stores = new List<HeldRecord>();
        for (var now = TimeSpan.Zero; now < TimeSpan.FromMinutes(30); now += TimeSpan.FromSeconds(1))
        {
            _driver.Core.Advance(now);
            foreach (var call in _driver.Calls())
            {
                if (call.Request is StoreCall store)
                {
                    stores.AddRange(store.Records);
                }

                _driver.Core.Answered(call.Id, CoreDriver.PeerAt(1).Id, call.Request is StoreCall ? new StoreAnswer([StoreOutcome.Stored]) : new FindNodeAnswer([]), default, now);
            }
        }

        Assert.InRange(stores.Count, 1, 3);
        Assert.All(stores, held => Assert.True(held.Remaining < TimeSpan.FromMinutes(111)));
    }

    private static FindValueAnswer Found(params SignedRecord[] records) => Found(false, records);

    private static FindValueAnswer Found(bool more, params SignedRecord[] records) =>
        new([.. records.Select(record => new HeldRecord(record, TimeSpan.FromSeconds(20)))], [], more);
}
