namespace Parallax.Contracts.Messages;

/// <summary>Asks where a command stands. Answered with <see cref="CommandFound"/>.</summary>
/// <param name="Id">Its id.</param>
public sealed record GetCommand(string Id);

/// <summary>Asks for the latest commands. Answered with <see cref="CommandList"/>.</summary>
/// <param name="Most">How many at most: 1 to 200.</param>
public sealed record ListCommands(int Most);

/// <summary>Where a command stands.</summary>
/// <param name="Command">Null: no scheduler has received it, or it is forgotten.</param>
public sealed record CommandFound(CommandStatus? Command);

/// <summary>The latest commands.</summary>
/// <param name="Commands">Newest first.</param>
public sealed record CommandList(IReadOnlyList<CommandStatus> Commands);

/// <summary>The status cannot be told just now.</summary>
/// <param name="Problem">Why.</param>
public sealed record CommandStatusUnknown(string Problem);

/// <summary>A command and all that became of it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind">One of <see cref="CommandKinds"/>.</param>
/// <param name="Subject">What it is about: a worker, a model; empty where it is about the whole swarm.</param>
/// <param name="Issuer">Who asked.</param>
/// <param name="IssuedAt">When, by the issuer's clock.</param>
/// <param name="Deadline">When it has failed if it is not complete.</param>
/// <param name="State">One of <see cref="CommandStates"/>.</param>
/// <param name="Reason">Why it is in that state, for people; empty where that says itself.</param>
/// <param name="Scheduler">Who carried it out last; empty: nobody yet.</param>
/// <param name="Term">In which term.</param>
/// <param name="PlanVersion">The version of the plan with its effect; 0: none yet.</param>
/// <param name="History">What happened, in order.</param>
public sealed record CommandStatus(
    string Id,
    string Kind,
    string Subject,
    string Issuer,
    DateTimeOffset IssuedAt,
    DateTimeOffset Deadline,
    string State,
    string Reason,
    string Scheduler,
    long Term,
    long PlanVersion,
    IReadOnlyList<CommandStep> History);

/// <summary>One thing that happened to a command.</summary>
/// <param name="At">When, by the clock of the scheduler that wrote it down.</param>
/// <param name="State">The state from then on.</param>
/// <param name="Text">In words.</param>
public sealed record CommandStep(DateTimeOffset At, string State, string Text);
