using System.Collections.Immutable;

namespace Parallax.Scheduler.Planning;

/// <summary>What follows from a command.</summary>
/// <param name="Events">What happens; empty when nothing does.</param>
/// <param name="Refusal">Why the command is refused; null when it is not.</param>
/// <param name="IsRepeat">Whether it had been carried out before.</param>
internal sealed record Decision(ImmutableArray<SchedulerEvent> Events, Refusal? Refusal, bool IsRepeat)
{
    public static Decision Of(ImmutableArray<SchedulerEvent> events) => new(events, null, false);

    public static Decision Refused(RefusalKind kind, string message) => new([], new Refusal(kind, message), false);
}

/// <summary>Why a command is refused.</summary>
internal sealed record Refusal(RefusalKind Kind, string Message);

/// <summary>What kind of refusal it is.</summary>
internal enum RefusalKind
{
    /// <summary>The command makes no sense.</summary>
    Invalid,

    /// <summary>It names something that is not there.</summary>
    NotFound,

    /// <summary>It contradicts what was commanded before.</summary>
    Conflict,

    /// <summary>There is too much of it already.</summary>
    TooMany,

    /// <summary>It cannot be carried out yet.</summary>
    NotYet,
}
