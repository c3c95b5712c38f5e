using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Routing;
using static Parallax.UnitTests.Router.Routing.PathMaps;

namespace Parallax.UnitTests.Router.Routing;

public class LoadLedgerTests
{
    private static readonly PathRequest Request = new() { PromptTokens = 10, MaxTokens = 10 };
    private static readonly PathRequest Plainly = Request with { NeedsRoom = false, PromptTokens = 0 }; // always over a and b
    private readonly LoadLedger _ledger = new();
    private readonly PathMap _map = Map(Node("a", Timed(0, 10, 1)), Node("b", Timed(10, 20, 1)), Node("c", Timed(10, 20, 2)));

    [Fact]
    public void Reserve_CountsAtEveryStage_UntilReleased()
    {
        using var path = Reserve();
        Assert.Equal([1, 1, 0], Sessions());

        using var more = Reserve(Request with { Sessions = 3 });
        Assert.Equal([4, 4, 0], Sessions());

        path.Dispose();
        path.Dispose();
        Assert.Equal([3, 3, 0], Sessions());
        more.Dispose();
        Assert.Equal(0, _ledger.Total);
    }

    [Fact]
    public void Reserve_WithoutAPath_LeavesNothing()
    {
        Assert.Null(_ledger.Reserve(_map, Request, static _ => null));
        Assert.Throws<InvalidOperationException>(() => _ledger.Reserve(_map, Request, static _ => throw new InvalidOperationException()));
        Assert.Equal(0, _ledger.Total);
    }

    [Fact]
    public void Take_HandsOverToTheSession()
    {
        var path = Reserve(Request with { Sessions = 2 });
        var session = path.Take();

        path.Dispose(); // the request failed before it opened the second
        Assert.Equal([1, 1, 0], Sessions());
        Assert.Throws<ObjectDisposedException>(path.Take);
        session.Dispose();
        session.Dispose();
        Assert.Equal([0, 0, 0], Sessions());

        var one = Reserve();
        one.Take().Dispose();
        Assert.Throws<InvalidOperationException>(one.Take);
    }

    [Fact]
    public void Report_CountsOwnSessionsOnce()
    {
        var first = Reserve();
        _ledger.Observe(Report("a", 5)); // this router's and four others'
        Assert.Equal(5, Sessions()[0]);

        var second = Reserve(); // after the report
        Assert.Equal(6, Sessions()[0]);
        first.Dispose();
        Assert.Equal(5, Sessions()[0]);

        _ledger.Observe(Report("a", 1)); // only the second; the others have gone
        Assert.Equal(1, Sessions()[0]);
        second.Dispose();
        Assert.Equal(0, Sessions()[0]);
        _ledger.Observe(Report("a", 0));
        Assert.Equal(0, Sessions()[0]);
    }

    [Fact]
    public void Report_OlderThanAnOwnSession_HidesNone()
    {
        using var path = Reserve(Request with { Sessions = 3 });

        _ledger.Observe(Report("a", 0)); // was on its way when they were reserved

        Assert.Equal(3, Sessions()[0]);
    }

    [Fact]
    public void KvRoom_ShrinksWithOwnSessionsSinceTheReport()
    {
        using var before = Reserve();
        _ledger.Observe(Report("a", 1, kvFree: 100));
        var after = Reserve();

        Assert.Equal(81, _ledger.Loads(_map)[0].KvTokensFree);
        after.Dispose();
        before.Dispose();
        Assert.Equal(119, _ledger.Loads(_map)[0].KvTokensFree);
    }

    [Fact]
    public void Prompt_CountsUntilItIsComputedOrItsSessionEnds()
    {
        var path = Reserve(Request with { Sessions = 2 });
        Assert.Equal([10, 10, 0], Prompts()); // the second session finds what the first computes
        _ledger.Observe(Report("a", 2)); // says nothing of prompts
        var other = Reserve(Request with { PromptTokens = 5 });
        Assert.Equal([15, 15, 0], Prompts());

        var session = path.Take();
        session.PromptComputed();
        session.PromptComputed();
        Assert.Equal([5, 5, 0], Prompts());
        session.Dispose();
        session.PromptComputed();
        Assert.Equal([5, 5, 0], Prompts());

        var cut = other.Take();
        cut.Dispose(); // before its prompt was computed
        cut.PromptComputed();
        Assert.Equal([0, 0, 0], Prompts());
        path.Dispose();
        Assert.Equal(0, _ledger.Total);
    }

    [Fact]
    public void Prompt_CountsWithoutWhatIsCached_AndNotForASessionThatGoesOn()
    {
        using var cached = Reserve(choice => choice with { CachedTokens = 4 });
        Assert.Equal([6, 6, 0], Prompts());

        using var goesOn = Reserve(Request with { Kept = new HashSet<(string, LayerRange)>() });
        Assert.Equal([6, 6, 0], Prompts());
    }

    [Fact]
    public void AWorkerThatLeaves_TakesItsReportAlong()
    {
        var path = Reserve();
        _ledger.Observe(Report("a", 9));

        _ledger.Forget("a");
        Assert.Equal(1, Sessions()[0]);
        path.Dispose();
        Assert.Equal(0, Sessions()[0]);

        _ledger.Observe(Report("a", 9) with { Shards = new Dictionary<string, ShardReport> { ["other"] = new(new StageLoad(1), StageSpeed.Unknown) } });
        Assert.Equal(0, Sessions()[0]);
    }

    [Fact]
    public void Changed_CompletesWhenRoomMayHaveCome()
    {
        var path = Reserve();
        var changed = _ledger.Changed;
        Assert.False(changed.IsCompleted);

        path.Dispose();
        Assert.True(changed.IsCompleted);

        changed = _ledger.Changed;
        _ledger.Observe(Report("a", 0));
        Assert.True(changed.IsCompleted);
    }

    /// <summary>Requests from many threads that end in all orders: what is left is what others have.</summary>
    [Fact]
    public async Task Defect17_AfterAStorm_AllCountsReturnToZero()
    {
        var storm = Enumerable.Range(0, 8).Select(seed => Task.Run(() =>
        {
            var random = new Random(seed);
            var held = new List<IDisposable>();
            for (var i = 0; i < 3000; i++)
            {
                switch (random.Next(5))
                {
                    case 0 or 1 when held.Count < 40:
                        var path = Reserve(Request with { Sessions = 1 + random.Next(3) });
                        if (random.Next(2) == 0)
                        {
                            var session = path.Take();
                            if (random.Next(2) == 0)
                            {
                                session.PromptComputed();
                            }

                            held.Add(session);
                            path.Dispose();
                        }
                        else
                        {
                            held.Add(path);
                        }

                        break;
                    case 2:
                        _ledger.Observe(Report(random.Next(2) == 0 ? "a" : "b", random.Next(500), random.Next(100)));
                        break;
                    case 3:
                        _ledger.Forget("a");
                        break;
                    default:
                        if (held.Count > 0)
                        {
                            var one = held[random.Next(held.Count)];
                            one.Dispose();
                            one.Dispose();
                            held.Remove(one);
                        }

                        break;
                }
            }

            held.ForEach(static reservation => reservation.Dispose());
        }));
        await Task.WhenAll(storm);

        Assert.Equal(0, _ledger.Total);
        _ledger.Forget("a");
        _ledger.Forget("b");
        Assert.Equal([0, 0, 0], Sessions());
        Assert.Equal([0, 0, 0], Prompts());
    }

    private PathReservation Reserve(PathRequest? request = null) => Reserve(static choice => choice, request);

    private PathReservation Reserve(Func<PathChoice, PathChoice> change, PathRequest? request = null) =>
        _ledger.Reserve(_map, request ?? Request, loads => change(PathPolicy.Choose(_map, loads, Plainly, Plain, default, null)!))!.Value.Reservation;

    private long[] Prompts() => [.. _ledger.Loads(_map).Select(static load => load.PromptTokens)];

    private int[] Sessions() => [.. _ledger.Loads(_map).Select(static load => load.Sessions)];

    private static WorkerReport Report(string worker, int sessions, long? kvFree = null) => new(worker, 1, [new Uri("http://127.0.0.1:1")], long.MaxValue)
    {
        Shards = new Dictionary<string, ShardReport> { [""] = new(new StageLoad(sessions, 0, kvFree), StageSpeed.Unknown) },
        RoundTrips = ImmutableDictionary<string, double>.Empty,
        Unreachable = ImmutableHashSet<string>.Empty,
    };
}
