using Parallax.Runtime;

namespace Parallax.Scheduler.Audit;

/// <summary>A batch that will never be stored as it is, for people to look at in the error queue; says what is wrong with it.</summary>
internal sealed class AuditRejectedException(AuditRejection kind, string problem, string? stream = null) : ParallaxException(problem)
{
    /// <summary>What kind of wrong it is.</summary>
    public AuditRejection Kind { get; } = kind;

    /// <summary>The stream that cannot go on; null where nothing in the batch is believed.</summary>
    public string? Stream { get; } = stream;
}

/// <summary>Why a batch is given up.</summary>
internal enum AuditRejection
{
    /// <summary>It is no batch of events, or its events are not what they say.</summary>
    Malformed,

    /// <summary>The stream has another event at one of its places.</summary>
    Fork,

    /// <summary>The events before it did not come.</summary>
    Gap,
}
