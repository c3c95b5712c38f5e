using System.Collections.Immutable;
using Parallax.Router.Routing;

namespace Parallax.UnitTests.Router.Routing;

public class LinkPlanTests
{
    private static readonly ImmutableArray<Uri> At1 = [new Uri("http://127.0.0.1:1")];
    private static readonly ImmutableArray<Uri> At2 = [new Uri("http://127.0.0.1:2")];

    [Fact]
    public void NewWorkers_GetALink_InOrderOfIds()
    {
        Assert.Equal([new LinkChange.Open("a", Report("a")), new LinkChange.Open("b", Report("b"))], Decide([], [Report("b"), Report("a")]), Same);
        Assert.Equal([new LinkChange.Open("a", Report("a"))], Decide([], [Report("b"), Report("a")], max: 1), Same);
    }

    [Fact]
    public void NothingToChange_IsNothingToDo()
    {
        Assert.Empty(Decide([Link("a", incarnation: 5)], [Report("a", incarnation: 5)]));
        Assert.Empty(Decide([Link("a", incarnation: 5)], [Report("a", incarnation: 4)])); // an old record
        Assert.Empty(Decide([], []));
        Assert.Empty(Decide([Link("a", retired: true, sessions: 2)], []));
    }

    [Fact]
    public void AnotherAddressOrRun_IsDialledAnew()
    {
        var moved = Report("a") with { Addresses = At2 };

        Assert.Equal([new LinkChange.Redial("a", moved)], Decide([Link("a")], [moved]), Same);
        Assert.Equal([new LinkChange.Redial("a", Report("a", 6))], Decide([Link("a", incarnation: 5)], [Report("a", 6)]), Same);
        Assert.Equal([new LinkChange.Redial("a", moved)], Decide([Link("a", retired: true)], [moved]), Same);
    }

    [Fact]
    public void AWorkerThatVanishes_IsRetiredFirst_AndClosedWithoutSessions()
    {
        Assert.Equal([new LinkChange.Retire("a")], Decide([Link("a")], []));
        Assert.Equal([new LinkChange.Retire("a")], Decide([Link("a", sessions: 3)], []));
        Assert.Equal([new LinkChange.Close("a")], Decide([Link("a", retired: true)], []));
        Assert.Equal([new LinkChange.Revive("a")], Decide([Link("a", retired: true, sessions: 1)], [Report("a")]), Same);
    }

    [Fact]
    public void ALinkThatIsClosed_MakesRoom()
    {
        Assert.Equal(
            [new LinkChange.Close("a"), new LinkChange.Open("b", Report("b"))],
            Decide([Link("a", retired: true)], [Report("b")], max: 1),
            Same);
        Assert.Equal([new LinkChange.Retire("a")], Decide([Link("a")], [Report("b")], max: 1));
    }

    private static bool Same(LinkChange a, LinkChange b) => (a, b) switch
    {
        (LinkChange.Open x, LinkChange.Open y) => x.WorkerId == y.WorkerId,
        (LinkChange.Redial x, LinkChange.Redial y) => x.WorkerId == y.WorkerId && x.Report.Addresses.SequenceEqual(y.Report.Addresses) && x.Report.Incarnation == y.Report.Incarnation,
        _ => a == b,
    };

    private static IReadOnlyList<LinkChange> Decide(LinkView[] links, WorkerReport[] map, int max = 100) =>
        LinkPlan.Decide(links, map.ToDictionary(static report => report.WorkerId), max);

    private static LinkView Link(string id, long incarnation = 1, bool retired = false, int sessions = 0) => new(id, At1, incarnation, retired, sessions);

    private static WorkerReport Report(string id, long incarnation = 1) => new(id, incarnation, At1, long.MaxValue)
    {
        Shards = ImmutableDictionary<string, ShardReport>.Empty,
        RoundTrips = ImmutableDictionary<string, double>.Empty,
        Unreachable = ImmutableHashSet<string>.Empty,
    };
}
