using Microsoft.Extensions.Time.Testing;
using Parallax.Contracts.Identifiers;
using Parallax.Worker.Gpu.Control;

namespace Parallax.UnitTests.Worker;

public class SessionTableTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void OnEnded_WithinTheRetention_IsKept()
    {
        var table = new SessionTable(_clock, TimeSpan.FromSeconds(60), 1000);
        var session = Add(table);
        table.OnEnded(session, 10);

        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Same(session, table.Find(session.Id));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(table.Find(session.Id));
        Assert.Equal(0, table.RetainedCount);
    }

    [Fact]
    public void OnEnded_MoreIdsThanMayBeKept_DropsTheOldest()
    {
        var table = new SessionTable(_clock, TimeSpan.FromSeconds(60), 25);
        var sessions = Enumerable.Range(0, 3).Select(_ => Add(table)).ToList();
        sessions.ForEach(session => table.OnEnded(session, 10));

        Assert.Null(table.Find(sessions[0].Id));
        Assert.Same(sessions[2], table.Find(sessions[2].Id));
        Assert.Equal(2, table.RetainedCount);
    }

    [Fact]
    public void Add_OfAHigherEpoch_TakesThePlaceAndOutlivesTheOld()
    {
        var table = new SessionTable(_clock, TimeSpan.FromSeconds(60), 1000);
        var old = Add(table);
        var present = Add(table, old.Id, 1);
        table.OnEnded(old, 1);

        _clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Same(present, table.Find(old.Id));
        Assert.Equal(1, table.ActiveCount);
    }

    [Fact]
    public async Task WhenIdle_LastSessionEnds_Completes()
    {
        var table = new SessionTable(_clock, TimeSpan.FromSeconds(60), 1000);
        var (ended, refused) = (Add(table), Add(table));
        var idle = table.WhenIdleAsync();

        table.OnEnded(ended, 1);
        Assert.False(idle.IsCompleted);
        table.RemoveRefused(refused);
        await idle.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Null(table.Find(refused.Id));
    }

    private static WorkerSession Add(SessionTable table, SessionId? id = null, int n = 0)
    {
        var session = new WorkerSession(id ?? SessionId.New(), new Epoch(1, Guid.Empty, n), 5, false, 7, table);
        table.Add(session);
        return session;
    }
}
