using Parallax.Contracts.Messages;

namespace Parallax.Scheduler.Commands;

/// <summary>What has happened to an operator's command. Fields are added and never renamed: events are read years later.</summary>
internal abstract record WorkflowEvent;

/// <summary>It was received.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind">One of <see cref="CommandKinds"/>, or what was said in its place.</param>
/// <param name="Request">Protobuf, Base64.</param>
/// <param name="Subject">What it is about, as it was named.</param>
/// <param name="Issuer">Who asked.</param>
/// <param name="IssuedAt">When, by the issuer's clock.</param>
/// <param name="Deadline">When it has failed if it is not complete.</param>
internal sealed record CommandSubmitted(
    string Id, string Kind, ReadOnlyMemory<byte> Request, string Subject, string Issuer, DateTimeOffset IssuedAt, DateTimeOffset Deadline) : WorkflowEvent;

/// <summary>A scheduler that leads begins to carry it out.</summary>
internal sealed record CommandTaken(string Scheduler, long Term) : WorkflowEvent;

/// <summary>It is part of the plan.</summary>
/// <param name="Scheduler">Who found it there.</param>
/// <param name="Term">In which term.</param>
/// <param name="PlanVersion">From which version on.</param>
/// <param name="Subject">What it turned out to be about.</param>
internal sealed record CommandApplied(string Scheduler, long Term, long PlanVersion, string Subject) : WorkflowEvent;

/// <summary>The swarm is as it was asked for.</summary>
internal sealed record CommandCompleted(string Text) : WorkflowEvent;

/// <summary>It was refused and changed nothing.</summary>
internal sealed record CommandRejected(string Reason) : WorkflowEvent;

/// <summary>The deadline came first. What is in the plan stays there.</summary>
internal sealed record CommandTimedOut(string Reason) : WorkflowEvent;

/// <summary>The deadline was over before it was part of the plan.</summary>
internal sealed record CommandExpired(string Reason) : WorkflowEvent;

/// <summary>A later command took its effect away before it was complete.</summary>
internal sealed record CommandSuperseded(string Reason) : WorkflowEvent;
