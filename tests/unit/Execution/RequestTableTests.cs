using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Testing;
using static Parallax.UnitTests.Execution.EngineFixture;

namespace Parallax.UnitTests.Execution;

public class RequestTableTests
{
    private readonly RequestTable<EngineSession> _table = new(3);

    [Fact]
    public void CheckOpen_FullStaleOrNew_SaysWhich()
    {
        var session = Add("a");
        Assert.Equal(OpenRefusal.Stale, _table.CheckOpen(session.Id, First));
        Assert.Null(_table.CheckOpen(session.Id, Second));
        Add("a");
        Add("b");

        Assert.Equal(OpenRefusal.Busy, _table.CheckOpen(SessionId.New(), First));
        Assert.Null(_table.CheckOpen(session.Id, Second));
    }

    [Fact]
    public void Find_OtherEpoch_FindsNothing()
    {
        var session = Add("a");

        Assert.Same(session, _table.Find(session.Id, First));
        Assert.Null(_table.Find(session.Id, Second));
    }

    [Fact]
    public void Start_ClientThatWasAway_StartsLevelWithTheLeastServed()
    {
        var busy = Add("busy");
        var less = Add("less");
        _table.Start(busy);
        _table.Start(less);
        _table.Charge(busy, 500);
        _table.Charge(less, 300);

        var guest = Add("guest");
        Assert.Equal(0, _table.Service[guest.Client.Slot]);
        _table.Start(guest);

        Assert.Equal(300, _table.Service[guest.Client.Slot]);
        Assert.Equal(500, _table.Service[busy.Client.Slot]);
    }

    [Fact]
    public void Remove_LastSessionOfAClient_GivesItsSlotToTheNext()
    {
        var first = Add("a");
        _table.Start(first);
        _table.Charge(first, 500);
        _table.Remove(first);

        var second = Add("b");

        Assert.Equal(first.Client.Slot, second.Client.Slot);
        Assert.Equal(0, _table.Service[second.Client.Slot]);
        Assert.Equal(SessionState.Ended, first.State);
        Assert.Throws<InvalidOperationException>(() => _table.Remove(first));
        Assert.Throws<InvalidOperationException>(() => _table.Start(first));
    }

    [Fact]
    public void TakeExpired_SeveralDue_GivesEachOnce()
    {
        Add("a", lease: 10);
        Add("b", lease: 30);
        Add("c", lease: 10);
        Assert.Equal(TimeSpan.FromSeconds(10), _table.NextDue);
        Assert.Null(_table.TakeExpired(TimeSpan.FromSeconds(9)));

        var taken = 0;
        while (_table.TakeExpired(TimeSpan.FromSeconds(10)) is { } session)
        {
            _table.Remove(session);
            taken++;
        }

        Assert.Equal(2, taken);
        Assert.Equal(TimeSpan.FromSeconds(30), _table.NextDue);
    }

    private EngineSession Add(string client, int lease = 60)
    {
        var cache = KvCache.CacheFixture.Cache(4);
        var request = Request([1, 2], 5) with { Client = client };
        var sampler = new GreedySampling().Create(request.PromptTokenIds, request.Sampling, 61);
        var session = new EngineSession(request, new RecordingSink(), sampler, cache.Open("", 8)) { LeaseDue = TimeSpan.FromSeconds(lease) };
        _table.Add(session);
        return session;
    }
}
