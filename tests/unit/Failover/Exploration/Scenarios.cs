using Parallax.Router.Sessions;
using Parallax.Transport.Flow;

namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>A scenario of session-protocol.md: a world in which it happens, and the rules that close it.</summary>
/// <param name="Number">Its number there.</param>
/// <param name="Name">What happens.</param>
/// <param name="World">The world, with all rules on.</param>
internal sealed record Scenario(int Number, string Name, ModelSettings World)
{
    /// <summary>Rules of the hops that are switched off.</summary>
    public HopRules Hop { get; init; }

    /// <summary>Rules of the router's core that are switched off.</summary>
    public SessionRules Session { get; init; }

    /// <summary>Rules of the shells, which the model follows, that are switched off.</summary>
    public ShellRules Shell { get; init; }

    public ModelSettings WithoutRules => World with { Hop = World.Hop & ~Hop, Session = World.Session & ~Session, Shell = World.Shell & ~Shell };

    public override string ToString() => $"{Number}. {Name}";
}

/// <summary>
/// The scenarios, one line each. Where several rules are switched off together, each of them alone closes the scenario. Scenario
/// 14 is about bytes and not about states: LinkPriorityTests.
/// </summary>
internal static class Scenarios
{
    private static readonly ModelSettings Ring = new() { Prompt = 2, Answer = 1, StartsOpen = true, Repairs = Repairs.None };

    private static readonly ModelSettings Small = Ring with { Prompt = 1 };

    private static readonly ModelSettings Cached = Ring with { Prompt = 17, RowsPerFrame = 17, Cached = [16, 0] };

    private static readonly ModelSettings TwoRouters = Small with { Routers = 2, Faults = FaultKinds.Attach };

    public static Scenario[] All { get; } =
    [
        new(1, "a middle stage loses its next hop while the ring is cut", Small with { Faults = FaultKinds.CutLink }) { Shell = ShellRules.ControlOffRing },
        new(2, "the head dies holding a token the router never saw", Ring with { Answer = 2, Faults = FaultKinds.Crash }) { Session = SessionRules.LastPositionRunsAgain },
        new(3, "a worker restarts under its id within the retry", Small with { Faults = FaultKinds.Crash, Repairs = Repairs.Restart })
        {
            Hop = HopRules.IncarnationCheck, Session = SessionRules.IncarnationCheck, Shell = ShellRules.AnswersUnknown,
        },
        new(4, "rows overtake a Resume", Ring) { Hop = HopRules.DropWhileFenced | HopRules.WaitForState },
        new(4, "rows overtake a Fence", Ring with { Answer = 2, Inexact = true, Faults = FaultKinds.Crash }) { Hop = HopRules.EpochCheck },
        new(5, "an old head, cut off from the router, drives on", Ring with { Answer = 2, Inexact = true, Faults = FaultKinds.CutControl })
        {
            Hop = HopRules.EpochCheck | HopRules.IncarnationCheck, Shell = ShellRules.PeerCheck,
        },
        new(6, "two routers act for one request", TwoRouters) { Shell = ShellRules.TermRises },
        new(7, "stages have cached different prefixes", Cached with { StartsOpen = false }) { Session = SessionRules.StartToAll },
        new(8, "a journal hole after a prefix hit: nobody asks for it", Cached with { Faults = FaultKinds.Crash }) { Hop = HopRules.WantMissing },
        new(8, "a journal hole after a prefix hit: rebuild rows are skipped", Cached with { Faults = FaultKinds.Crash }) { Hop = HopRules.RebuildBelowApplied },
        new(9, "a replaced tail with penalties and grammar", Ring with { Answer = 2, Faults = FaultKinds.Crash }) { Shell = ShellRules.SamplerRestored },
        new(10, "a middle stage out of blocks", Ring with { Faults = FaultKinds.Evict }) { Hop = HopRules.StateOnEvict },
        new(10, "two stages out of blocks for two sessions", Ring with { Sessions = 2, Answer = 2, Room = 4 }) { Shell = ShellRules.SameOrderOfAge },
        new(11, "prefill fills every queue of the ring", Ring with { Sessions = 3, Prompt = 4, LinkCapacity = 1 }) { Shell = ShellRules.NeverWaitsForSend },
        new(12, "the reporter dies with its report", Ring with { Faults = FaultKinds.CutControl }) { Shell = ShellRules.RouterWatches },
        new(12, "a control message is lost in a cut that heals", Small with { Faults = FaultKinds.CutControl, Repairs = Repairs.HealControl })
        {
            Session = SessionRules.RepeatOnReconnect,
        },
        new(13, "the client has a token that the store has not", TwoRouters with { Answer = 2, Inexact = true, Faults = FaultKinds.RouterCrash })
        {
            Shell = ShellRules.LogBeforeClient,
        },
        new(14, "a prompt's rows wait for a slow link", Ring with { MaxDisorder = 1 }) { Shell = ShellRules.RowsStayInOrder },
        new(15, "a reconnect while one side is fenced", Small with { Faults = FaultKinds.FlapLink }) { Hop = HopRules.StateOnConnect },
        new(15, "a State that comes while fenced", Ring) { Hop = HopRules.KeepStateWhileFenced },
        new(16, "a new router whose N lies deeper than a window keeps", TwoRouters with { Answer = 3, Window = 2, Faults = FaultKinds.RouterCrash }) { Shell = ShellRules.WindowIsNoticed },
        new(17, "the last token arrives in a FenceAck", Ring with { Faults = FaultKinds.Crash }) { Shell = ShellRules.EndInAcknowledgement },
    ];
}
