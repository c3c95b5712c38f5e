namespace Parallax.Contracts.Messages;

/// <summary>Where a command can stand. The last five are final.</summary>
public static class CommandStates
{
    /// <summary>Received; no scheduler has begun.</summary>
    public const string Submitted = "submitted";

    /// <summary>A scheduler carries it out.</summary>
    public const string Taken = "taken";

    /// <summary>It is part of the plan, and the swarm follows.</summary>
    public const string Applied = "applied";

    /// <summary>The swarm is as it was asked for.</summary>
    public const string Completed = "completed";

    /// <summary>It was refused and changed nothing.</summary>
    public const string Rejected = "rejected";

    /// <summary>It is part of the plan, but the swarm was not as it was asked for by the deadline. It is not undone.</summary>
    public const string TimedOut = "timed-out";

    /// <summary>The deadline was over before a scheduler could begin. It changed nothing.</summary>
    public const string Expired = "expired";

    /// <summary>A later command took its effect away before it was complete.</summary>
    public const string Superseded = "superseded";

    /// <summary>Whether nothing can follow.</summary>
    public static bool IsFinal(string state) => state is Completed or Rejected or TimedOut or Expired or Superseded;
}
