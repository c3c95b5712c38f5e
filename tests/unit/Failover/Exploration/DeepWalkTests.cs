using Parallax.Transport.Flow;

namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>Random runs beyond what can be looked at whole: more faults, longer answers, several sessions; every run must end well.</summary>
public sealed class DeepWalkTests
{
    private const FaultKinds Workers =
        FaultKinds.Crash | FaultKinds.CutLink | FaultKinds.CutControl | FaultKinds.Evict | FaultKinds.LoseSession | FaultKinds.FlapLink
        | FaultKinds.ForgetOutputs | FaultKinds.Pause;

    private static readonly ModelSettings Wild = new()
    {
        Prompt = 4,
        Answer = 6,
        RowsPerFrame = 2,
        Faults = Workers,
        MaxFaults = 4,
        MaxN = 60,
        Late = true,
        Lazy = true,
        MaxDisorder = 3,
        Watch = true,
    };

    private static readonly (string Name, ModelSettings World)[] Worlds =
    [
        ("one session", Wild),
        ("three sessions that share too little room", Wild with
        {
            Sessions = 3, Prompt = 20, RowsPerFrame = 8, Room = 50, Cached = [0, 16], RestoresAtFence = true, AcknowledgeEvery = 4,
        }),
        ("two routers", Wild with { Routers = 2, Faults = Workers | FaultKinds.RouterCrash | FaultKinds.Attach, MaxDisorder = 0 }),
        ("sliding windows", Wild with { Window = 3, Answer = 8 }),
        ("a class that is not exact", Wild with { Inexact = true }),
        ("an answer beyond the run-ahead", Wild with { Answer = 48, MaxFaults = 8 }),
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Worlds.Length)];

    [Theory]
    [MemberData(nameof(Indices))]
    public void Run_FaultsForAWhile_EveryAnswerIsWholeInTheEnd(int index)
    {
        var (name, world) = Worlds[index];
        for (var seed = 0; seed < LongTests.Choose(100, 20_000); seed++)
        {
            var failure = DeepWalk.Run(world, seed, wildSteps: 300, oneInSteps: 15);
            Assert.True(failure is null, $"{name}: {failure}");
        }
    }

    // That the walks can fail: without these rules some do.
    [Theory]
    [InlineData(nameof(HopRules.StateOnConnect))]
    [InlineData(nameof(HopRules.WantMissing))]
    [InlineData(nameof(HopRules.StateOnEvict))]
    public void Run_RuleOff_SomeWalkFails(string rule)
    {
        var world = Wild with { Hop = HopRules.All & ~Enum.Parse<HopRules>(rule), Watch = false, Faults = Workers & ~(FaultKinds.Pause | FaultKinds.CutControl) };
        Assert.Contains(Enumerable.Range(0, 500), seed => DeepWalk.Run(world, seed, wildSteps: 300, oneInSteps: 15) is not null);
    }
}
