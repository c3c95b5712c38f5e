using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Blocks;

namespace Parallax.Runtime.Execution;

/// <summary>
/// All of an engine that is not a thread: sessions come in by calls, <see cref="Step"/> computes one batch, results go
/// out. One thread calls it, the <see cref="Executor"/>'s; time is a parameter (since the engine's start).
/// </summary>
internal abstract class SessionLoop
{
    /// <summary>What is served.</summary>
    public abstract EngineInfo Info { get; }

    /// <summary>Counters and gauges.</summary>
    public abstract EngineCounters Counters { get; }

    /// <summary>Sessions in the table.</summary>
    public abstract int SessionCount { get; }

    /// <summary>When time alone may change something next; TimeSpan.MaxValue for never.</summary>
    public abstract TimeSpan NextDue { get; }

    /// <summary>Rows of the last step.</summary>
    public abstract int LastRows { get; }

    /// <summary>Of these, decode rows; both figures are 0 when the step tells nothing about how long such rows take.</summary>
    public abstract int LastDecodeRows { get; }

    /// <summary>Of these, rows of prompts.</summary>
    public abstract int LastPrefillRows { get; }

    /// <summary>Why the engine is unhealthy: the last of three or more steps that failed in a row; null when it is well.</summary>
    public string? Fault { get; protected set; }

    /// <summary>Opens a session or refuses it; see <see cref="ISessionEngine.OpenAsync"/>.</summary>
    public abstract OpenResult Open(OpenRequest request, ISessionSink sink, TimeSpan now);

    /// <summary>
    /// Fetches KV blocks for a session that has just been opened or fenced, where that is cheaper than computing; true when
    /// the Open is answered later, by <see cref="AdvanceRestores"/>.
    /// </summary>
    public abstract bool TryRestore(Opening opening, TimeSpan now);

    /// <summary>Takes blocks that have come, and answers the Opens that need not wait any longer.</summary>
    public abstract void AdvanceRestores(TimeSpan now);

    /// <summary>Copies filled blocks out for others; null when nobody wants them.</summary>
    public abstract BlockWriter? Writer { get; }

    /// <summary>Makes the thread look whether there is something to do; set by whoever drives the loop, callable from any thread.</summary>
    public Action Wake { get; set; } = static () => { };

    /// <summary>See <see cref="ISessionEngine.Start"/>.</summary>
    public abstract void Start(SessionId id, Epoch epoch, int keep, long nextIncarnation = 0, ImmutableArray<int> answer = default);

    /// <summary>See <see cref="ISessionEngine.Mirror"/>.</summary>
    public virtual void Mirror(SessionId id, Epoch epoch, ImmutableArray<MirrorTarget> targets)
    {
    }

    /// <summary>See <see cref="ISessionEngine.Acknowledge"/>.</summary>
    public abstract void Acknowledge(SessionId id, Epoch epoch, int known);

    /// <summary>See <see cref="ISessionEngine.Cancel"/>.</summary>
    public abstract void Cancel(SessionId id, Epoch epoch);

    /// <summary>Takes back an Open whose caller has gone; its sink hears nothing.</summary>
    public abstract void Withdraw(SessionId id, Epoch epoch);

    /// <summary>See <see cref="ISessionEngine.RenewLease"/>.</summary>
    public abstract void RenewLease(SessionId id, TimeSpan now);

    /// <summary>Something that is not a session's call, such as a frame that arrived; the loop owns its content.</summary>
    public virtual void Receive(in Command command) =>
        throw new InvalidOperationException($"this engine takes no {command.Kind}");

    /// <summary>Ends the sessions whose lease or deadline has passed, and does what else is due.</summary>
    public abstract void Expire(TimeSpan now);

    /// <summary>From now on Opens are refused; sessions that were not started end.</summary>
    public abstract void StopIntake();

    /// <summary>Ends all sessions.</summary>
    public abstract void EndAll(FinishReason reason, string error = "");

    /// <summary>Tells all sessions of an error that leaves the accounting in doubt, without touching it; the loop is over.</summary>
    public abstract void Abandon(string error);

    /// <summary>Computes one batch.</summary>
    /// <returns>False when nothing can be computed before a call or a time changes something.</returns>
    public abstract bool Step(TimeSpan now);
}
