namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>What can happen next in a <see cref="World"/>.</summary>
internal enum StepKind
{
    /// <summary>Worker B takes the next message of router A; C chooses what it has cached, where that is open.</summary>
    ToWorker,

    /// <summary>The same of an earlier connection's message.</summary>
    LateToWorker,

    /// <summary>Router A takes the next message of worker B.</summary>
    ToRouter,

    /// <summary>Worker B takes the next message of worker A's.</summary>
    Frame,

    /// <summary>The same of an earlier connection's.</summary>
    LateFrame,

    /// <summary>Worker A's loop makes a step.</summary>
    Compute,

    /// <summary>Router A finds that worker B's control stream does not come back at once.</summary>
    Unreachable,

    /// <summary>Router A finds that worker B gives no sign of life.</summary>
    Silence,

    /// <summary>Router A has waited long enough for the acknowledgements of session B.</summary>
    AcknowledgeTimeout,

    /// <summary>The grace of a link that was reported down is over, at router A for session B.</summary>
    Grace,

    /// <summary>Router A chooses path C for session B.</summary>
    Reroute,

    /// <summary>Router A misses a token of session B.</summary>
    Watch,

    /// <summary>The lease of session B runs out at worker A: nobody has renewed it.</summary>
    Lease,

    /// <summary>The client of session B is with another router: router A cancels.</summary>
    ClientGone,

    /// <summary>The clients of a router that is gone turn to router A, which takes path C.</summary>
    TakeOver,

    Restart,
    Unpause,
    HealLink,
    HealControl,

    Crash,
    Pause,
    CutLink,
    FlapLink,
    CutControl,
    Evict,
    LoseSession,
    ForgetOutputs,
    RouterCrash,
    Attach,
    Duplicate,
    Overtake,
}

/// <summary>One step; what A, B and C mean is said at its kind.</summary>
internal readonly record struct Step(StepKind Kind, int A = 0, int B = 0, int C = 0)
{
    /// <summary>Whether nature is unkind: such steps are bounded, and no way to the goal needs them.</summary>
    public bool IsFault => Kind >= StepKind.Crash;

    public int Pack() => ((int)Kind << 24) | (A << 16) | (B << 8) | C;

    public static Step Unpack(int packed) => new((StepKind)(packed >> 24), (packed >> 16) & 255, (packed >> 8) & 255, packed & 255);
}
