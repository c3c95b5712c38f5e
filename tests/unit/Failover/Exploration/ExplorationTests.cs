namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>
/// The machines that the services run, SessionCore at the router and StageFlow at the workers, with everything that the bounds
/// allow to go wrong: no token is lost, repeated or changed, no two workers compute one layer in one epoch, and from every state
/// a way without further faults leads to the end, with nothing held. See docs/failure-semantics.md.
/// </summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    private const FaultKinds Workers =
        FaultKinds.Crash | FaultKinds.CutLink | FaultKinds.CutControl | FaultKinds.Evict | FaultKinds.LoseSession | FaultKinds.FlapLink;

    private static readonly ModelSettings Ring = new() { Prompt = 2, Answer = 2, StartsOpen = true };

    private static readonly (string Name, ModelSettings World)[] Worlds =
    [
        ("a crash, nothing is repaired", Ring with { Faults = FaultKinds.Crash, Repairs = Repairs.None }),
        ("a crash while sessions are opened", Ring with { Answer = 1, StartsOpen = false, Faults = FaultKinds.Crash }),
        ("a crash, with restarts and late frames", Ring with { Answer = 1, Faults = FaultKinds.Crash, Late = true }),
        ("a link for good", Ring with { Answer = 1, Faults = FaultKinds.CutLink, Repairs = Repairs.None }),
        ("a link that comes back, with late frames", Ring with { Answer = 1, Faults = FaultKinds.FlapLink, Late = true }),
        ("a control stream for good", Ring with { Faults = FaultKinds.CutControl, Repairs = Repairs.None }),
        ("a control stream that comes back, with late messages", Ring with { Prompt = 1, Answer = 1, Faults = FaultKinds.CutControl, Late = true, Watch = true }),
        ("a suspended worker", Ring with { Answer = 1, Faults = FaultKinds.Pause, Repairs = Repairs.Unpause, Watch = true }),
        ("blocks, journals and sessions that are lost", Ring with
        {
            Faults = FaultKinds.Evict | FaultKinds.ForgetOutputs | FaultKinds.LoseSession, MaxFaults = 2, AcknowledgeEvery = 1, Repairs = Repairs.None,
        }),
        ("messages that come twice or overtake", Ring with { MaxDisorder = 2, Answer = 2 }),
        ("a crash and disorder", Ring with { Prompt = 1, Faults = FaultKinds.Crash, MaxDisorder = 1, Repairs = Repairs.None }),
        ("steps that compute what several messages brought", Ring with { Answer = 1, Faults = FaultKinds.Crash | FaultKinds.Evict, Lazy = true, Repairs = Repairs.None }),
        ("frames of many rows, cached prefixes", Ring with
        {
            Prompt = 20, RowsPerFrame = 16, Cached = [16, 0], Faults = FaultKinds.Crash | FaultKinds.Evict, Repairs = Repairs.None,
        }),
        ("blocks from the KV cache while fenced", Ring with
        {
            Prompt = 17, RowsPerFrame = 17, Cached = [16, 0], RestoresAtFence = true, Faults = FaultKinds.Crash | FaultKinds.Evict, MaxFaults = 2, Repairs = Repairs.Restart,
        }),
        ("blocks from the KV cache while fenced, a crash within a frame", Ring with
        {
            Prompt = 20, RowsPerFrame = 8, Cached = [0, 16], RestoresAtFence = true, Faults = FaultKinds.Crash | FaultKinds.Evict, Repairs = Repairs.None,
        }),
        ("two sessions, a crash", Ring with { Sessions = 2, Prompt = 1, Answer = 1, Faults = FaultKinds.Crash, Repairs = Repairs.None }),
        ("two sessions with room for one", Ring with { Sessions = 2, Room = 4, Faults = FaultKinds.Evict, MaxFaults = 1 }),
        ("another router, the old one gone", Ring with { Routers = 2, Answer = 2, Faults = FaultKinds.RouterCrash, Repairs = Repairs.None }),
        ("another router, the old one acts", Ring with { Routers = 2, Prompt = 1, Answer = 2, Faults = FaultKinds.Attach, Repairs = Repairs.None }),
        ("a class that is not exact", Ring with { Inexact = true, Faults = FaultKinds.Crash | FaultKinds.CutLink, Repairs = Repairs.None }),
        ("one worker for two ranges", Ring with
        {
            Offers = [new(0, new(0, 1)), new(1, new(1, 2)), new(2, new(2, 3)), new(3, new(1, 3)), new(3, new(0, 2))],
            Faults = FaultKinds.Crash, Repairs = Repairs.None,
        }),
        ("a link for good, and a control stream that comes back", Ring with
        {
            Prompt = 1, Answer = 1, Faults = FaultKinds.CutLink | FaultKinds.CutControl, MaxFaults = 2, Repairs = Repairs.HealControl,
        }),
        ("two faults of any kind", Ring with { Prompt = 1, Answer = 1, Faults = Workers, MaxFaults = 2 }),
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Worlds.Length)];

    [Theory]
    [MemberData(nameof(Indices))]
    public void Explore_AllRulesOn_FindsNothing(int index)
    {
        var (name, world) = Worlds[index];

        var result = new Explorer(world).Explore(LongTests.Choose(40_000, 2_000_000));

        output.WriteLine($"{name}: {result}");
        Assert.True(result.Violation is null, $"{name}: {result}");
    }

    [Fact]
    public void Explore_NothingGoesWrong_EveryWayEndsWell()
    {
        var result = new Explorer(Ring with { StartsOpen = false }).Explore(100_000);

        Assert.Null(result.Violation);
        Assert.True(result.IsComplete);
        Assert.True(result.Goals > 0);
    }
}
