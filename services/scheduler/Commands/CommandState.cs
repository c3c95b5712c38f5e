using System.Collections.Immutable;
using Parallax.Contracts.Messages;

namespace Parallax.Scheduler.Commands;

/// <summary>All that is known of a command: its events so far.</summary>
internal sealed record CommandState
{
    public static readonly CommandState None = new();

    /// <summary>Events so far: the stream's version.</summary>
    public long Version { get; init; }

    /// <summary>What was asked; null before anything was.</summary>
    public CommandSubmitted? Submitted { get; init; }

    /// <summary>One of <see cref="CommandStates"/>; empty before it was submitted.</summary>
    public string State { get; init; } = "";

    /// <summary>Why.</summary>
    public string Reason { get; init; } = "";

    /// <summary>What it is about.</summary>
    public string Subject { get; init; } = "";

    /// <summary>Who carried it out last.</summary>
    public string Scheduler { get; init; } = "";

    /// <summary>In which term.</summary>
    public long Term { get; init; }

    /// <summary>The plan's version with its effect; 0: none.</summary>
    public long PlanVersion { get; init; }

    /// <summary>What happened.</summary>
    public ImmutableArray<CommandStep> History { get; init; } = [];

    /// <summary>Whether nothing can follow.</summary>
    public bool IsFinal => CommandStates.IsFinal(State);

    /// <summary>As others hear of it; null before it was submitted.</summary>
    public CommandStatus? ToStatus() => Submitted is { } asked
        ? new CommandStatus(asked.Id, asked.Kind, Subject, asked.Issuer, asked.IssuedAt, asked.Deadline, State, Reason, Scheduler, Term, PlanVersion, History)
        : null;
}
