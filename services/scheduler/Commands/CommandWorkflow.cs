using System.Collections.Immutable;
using System.Globalization;
using Parallax.Contracts.Messages;
using Parallax.Scheduler.Planning;

namespace Parallax.Scheduler.Commands;

/// <summary>
/// The life of a command: submitted, taken by a scheduler that leads, applied to the plan, completed by the swarm; or rejected,
/// expired, timed out, superseded. Pure: what happens follows from the state, the input and the time.
/// </summary>
internal static class CommandWorkflow
{
    /// <summary>What an event makes of the state. Total: whatever is in the store can be read.</summary>
    /// <param name="state">Before it.</param>
    /// <param name="happened">The event; null: one that this program cannot read.</param>
    /// <param name="at">When it was recorded.</param>
    public static CommandState Evolve(CommandState state, WorkflowEvent? happened, DateTimeOffset at)
    {
        state = state with { Version = state.Version + 1 };
        return happened switch
        {
            CommandSubmitted asked when state.Submitted is null => Step(
                state with { Submitted = asked, Subject = asked.Subject }, at, CommandStates.Submitted, "", $"{asked.Issuer} asked for it"),
            CommandTaken taken => Step(
                state with { Scheduler = taken.Scheduler, Term = taken.Term }, at, CommandStates.Taken, "", Invariant($"scheduler {taken.Scheduler} took it in term {taken.Term}")),
            CommandApplied applied => Step(
                state with { Scheduler = applied.Scheduler, Term = applied.Term, PlanVersion = applied.PlanVersion, Subject = applied.Subject },
                at,
                CommandStates.Applied,
                "",
                Invariant($"it is part of the plan from version {applied.PlanVersion} on")),
            CommandCompleted completed => Step(state, at, CommandStates.Completed, completed.Text, completed.Text),
            CommandRejected rejected => Step(state, at, CommandStates.Rejected, rejected.Reason, rejected.Reason),
            CommandTimedOut timedOut => Step(state, at, CommandStates.TimedOut, timedOut.Reason, timedOut.Reason),
            CommandExpired expired => Step(state, at, CommandStates.Expired, expired.Reason, expired.Reason),
            CommandSuperseded superseded => Step(state, at, CommandStates.Superseded, superseded.Reason, superseded.Reason),
            _ => state,
        };
    }

    /// <summary>A command comes in. A repeated one changes nothing.</summary>
    /// <param name="state">What is known of its id.</param>
    /// <param name="message">What came; its id and sizes have been checked.</param>
    /// <param name="subject">What it is about, as far as its request can be read.</param>
    /// <param name="problem">Why its request cannot be read; null when it can.</param>
    /// <returns>Null when its id belongs to another command.</returns>
    public static ImmutableArray<WorkflowEvent>? Submit(CommandState state, SubmitCommand message, string subject, string? problem)
    {
        if (state.Submitted is { } known)
        {
            return known.Kind == message.Kind && known.Request.Span.SequenceEqual(message.Request.Span) ? [] : null;
        }

        var submitted = new CommandSubmitted(message.Id, message.Kind, message.Request, subject, message.Issuer, message.IssuedAt, message.Deadline);
        return problem is null ? [submitted] : [submitted, new CommandRejected(problem)];
    }

    /// <summary>A scheduler that leads looks at a command that is not part of the plan as far as its stream says.</summary>
    /// <param name="state">What is known of it.</param>
    /// <param name="scheduler">Who leads.</param>
    /// <param name="term">In which term.</param>
    /// <param name="planned">The plan's version from which on it is part of it all the same: whoever took it was lost before it could say so; null: it is not.</param>
    /// <param name="subject">What it is about, as the plan names it.</param>
    /// <param name="now">The time.</param>
    /// <returns>What happens; when <see cref="CommandState.State"/> is taken by this scheduler afterwards, it is to be carried out.</returns>
    public static ImmutableArray<WorkflowEvent> Take(CommandState state, string scheduler, long term, long? planned, string subject, DateTimeOffset now)
    {
        if (state.State is not (CommandStates.Submitted or CommandStates.Taken))
        {
            return [];
        }

        if (planned is { } version)
        {
            return [new CommandApplied(scheduler, term, version, subject)];
        }

        if (now >= state.Submitted!.Deadline)
        {
            return [new CommandExpired("Its deadline was over before a scheduler could carry it out; it changed nothing.")];
        }

        return state.State == CommandStates.Taken && state.Term == term && state.Scheduler == scheduler ? [] : [new CommandTaken(scheduler, term)];
    }

    /// <summary>It was carried out, or refused.</summary>
    /// <param name="state">What is known of it.</param>
    /// <param name="scheduler">Who carried it out.</param>
    /// <param name="term">In which term.</param>
    /// <param name="refusal">Why not; null when it is part of the plan.</param>
    /// <param name="planned">The plan's version from which on it is.</param>
    /// <param name="subject">What it is about, as the plan names it.</param>
    /// <returns>Nothing where it is to be tried again.</returns>
    public static ImmutableArray<WorkflowEvent> CarriedOut(CommandState state, string scheduler, long term, Refusal? refusal, long planned, string subject)
    {
        if (state.State != CommandStates.Taken)
        {
            return [];
        }

        return refusal switch
        {
            null => [new CommandApplied(scheduler, term, planned, subject)],
            { Kind: RefusalKind.NotYet or RefusalKind.TooMany } => [], // both pass
            _ => [new CommandRejected(refusal.Message)],
        };
    }

    /// <summary>How far the swarm is with it.</summary>
    /// <param name="state">What is known of it.</param>
    /// <param name="progress">What was observed.</param>
    /// <param name="now">The time.</param>
    public static ImmutableArray<WorkflowEvent> Observe(CommandState state, CommandProgress progress, DateTimeOffset now)
    {
        if (state.State != CommandStates.Applied)
        {
            return [];
        }

        return progress switch
        {
            CommandProgress.Done done => [new CommandCompleted(done.Text)],
            CommandProgress.Superseded superseded => [new CommandSuperseded(superseded.Text)],
            CommandProgress.Pending pending when now >= state.Submitted!.Deadline => [new CommandTimedOut($"By its deadline, {pending.Text}. It stays part of the plan.")],
            _ => [],
        };
    }

    private static CommandState Step(CommandState state, DateTimeOffset at, string next, string reason, string text) => state with
    {
        State = next,
        Reason = reason,
        History = state.History.Add(new CommandStep(at, next, text)),
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
