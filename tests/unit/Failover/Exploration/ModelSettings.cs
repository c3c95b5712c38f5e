using Parallax.Contracts.Identifiers;
using Parallax.Router.Sessions;
using Parallax.Transport.Flow;

namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>What may go wrong.</summary>
[Flags]
internal enum FaultKinds
{
    None = 0,
    Crash = 1 << 0,
    Pause = 1 << 1,
    CutLink = 1 << 2,
    CutControl = 1 << 3,
    Evict = 1 << 4,
    LoseSession = 1 << 5,
    ForgetOutputs = 1 << 6,
    RouterCrash = 1 << 7,

    /// <summary>The client turns to another router while the first one acts.</summary>
    Attach = 1 << 8,

    /// <summary>A link breaks and is back at once.</summary>
    FlapLink = 1 << 9,
}

/// <summary>What is repaired without anybody's doing.</summary>
[Flags]
internal enum Repairs
{
    None = 0,
    Restart = 1 << 0,
    Unpause = 1 << 1,
    HealLink = 1 << 2,
    HealControl = 1 << 3,
    All = (1 << 4) - 1,
}

/// <summary>
/// Rules that live in the shells around the machines, or in the machines' surroundings: the model follows them, and a test
/// switches them off here.
/// </summary>
[Flags]
internal enum ShellRules
{
    None = 0,

    /// <summary>Control goes over streams of its own, not over the ring (rule 1).</summary>
    ControlOffRing = 1 << 0,

    /// <summary>A worker says Unknown of a session that it does not hold (rule 4): on links and over control.</summary>
    AnswersUnknown = 1 << 1,

    /// <summary>Rows from elsewhere than the previous stage are not taken (rule 5).</summary>
    PeerCheck = 1 << 2,

    /// <summary>A router that takes a request over has a higher term (rule 9).</summary>
    TermRises = 1 << 3,

    /// <summary>The tail's sampler is made anew from the ids at Resume (rule 13).</summary>
    SamplerRestored = 1 << 4,

    /// <summary>Every stage has the same order of sessions when blocks run out, the oldest first (rule 11).</summary>
    SameOrderOfAge = 1 << 5,

    /// <summary>A stage takes what comes while what it has to send waits (rule 12).</summary>
    NeverWaitsForSend = 1 << 6,

    /// <summary>The router itself notices that a worker is gone (rule 10).</summary>
    RouterWatches = 1 << 7,

    /// <summary>The router's log has a token before the client has it (rule 8).</summary>
    LogBeforeClient = 1 << 8,

    /// <summary>Who cannot go back to `keep` begins anew (rule 6).</summary>
    WindowIsNoticed = 1 << 9,

    /// <summary>An acknowledgement that completes the answer ends it (rule 5).</summary>
    EndInAcknowledgement = 1 << 10,

    /// <summary>A report of a link that is down is looked at again when a token came all the same, and forgotten when more do.</summary>
    SuspicionEnds = 1 << 11,

    /// <summary>An answer whose last token came while a path was looked for is not resumed (rule 5).</summary>
    WholeIsNotResumed = 1 << 12,

    /// <summary>A stage that starts without a link to the next one says so: it went down while nobody missed it (rule 4).</summary>
    ReportsMissingLink = 1 << 13,

    /// <summary>A session's rows stay in order: a decode row waits until those of the prompt have arrived (rule 12).</summary>
    RowsStayInOrder = 1 << 14,

    All = (1 << 15) - 1,
}

/// <summary>Layers that a worker can hold.</summary>
internal readonly record struct Offer(int Worker, LayerRange Layers);

/// <summary>The size of a model of the failover protocol, what may happen in it, and which rules it follows.</summary>
internal sealed record ModelSettings
{
    public int Layers { get; init; } = 3;

    /// <summary>By default a worker for each layer, and a spare that can hold any.</summary>
    public Offer[] Offers { get; init; } =
    [
        new(0, new LayerRange(0, 1)), new(1, new LayerRange(1, 2)), new(2, new LayerRange(2, 3)),
        new(3, new LayerRange(0, 1)), new(3, new LayerRange(1, 2)), new(3, new LayerRange(2, 3)),
    ];

    /// <summary>The first path, as indices of offers.</summary>
    public int[] FirstPath { get; init; } = [0, 1, 2];

    public int Sessions { get; init; } = 1;

    public int Routers { get; init; } = 1;

    public int Prompt { get; init; } = 3;

    public int Answer { get; init; } = 2;

    public int MaxFaults { get; init; } = 1;

    public FaultKinds Faults { get; init; }

    public Repairs Repairs { get; init; } = Repairs.All;

    /// <summary>How many messages of links may come twice, or overtake others of a lower priority.</summary>
    public int MaxDisorder { get; init; }

    /// <summary>Whether messages of a connection that broke may still come later.</summary>
    public bool Late { get; init; }

    /// <summary>Whether the first epoch is open and acknowledged, but not started, in the beginning.</summary>
    public bool StartsOpen { get; init; }

    /// <summary>Whether computing is a step of its own, so that several messages may be taken before; else it follows each at once.</summary>
    public bool Lazy { get; init; }

    /// <summary>Most rows of a frame.</summary>
    public int RowsPerFrame { get; init; } = 1;

    /// <summary>Frames that wait between two workers, at most.</summary>
    public int LinkCapacity { get; init; } = 8;

    /// <summary>Rows sent beyond the last acknowledgement, at most.</summary>
    public int WindowRows { get; init; } = 64;

    public int AcknowledgeEvery { get; init; } = 16;

    /// <summary>Prefixes that a worker may have cached when it opens a session.</summary>
    public int[] Cached { get; init; } = [0];

    /// <summary>Whether a worker may get so much from the KV cache between a Fence and its acknowledgement, too.</summary>
    public bool RestoresAtFence { get; init; }

    /// <summary>Positions that a layer attends to; 0 for all.</summary>
    public int Window { get; init; }

    /// <summary>Positions of KV that a worker has room for.</summary>
    public int Room { get; init; } = int.MaxValue;

    /// <summary>Whether every epoch draws other tokens, as in a class that is not exact.</summary>
    public bool Inexact { get; init; }

    /// <summary>Highest n; states in which a session needs a higher one are not looked at further.</summary>
    public int MaxN { get; init; } = 3;

    /// <summary>Whether the router raises n when no token comes, whatever the reason (rule 10).</summary>
    public bool Watch { get; init; }

    /// <summary>Whether acknowledgements may be given up while they are under way.</summary>
    public bool EarlyTimeouts { get; init; }

    public HopRules Hop { get; init; } = HopRules.All;

    public SessionRules Session { get; init; } = SessionRules.All;

    public ShellRules Shell { get; init; } = ShellRules.All;

    public int Workers => Offers.Max(static offer => offer.Worker) + 1;

    public int Known => Prompt + Answer;
}
