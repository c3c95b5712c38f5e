using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Sessions;

/// <summary>
/// One session as the router holds it, over a path of one or more stages: what it knows, and what it has to say next
/// to whom. Stage 0 is the head, which gives out the tokens. Pure: messages in, commands out; no clock, no I/O. Not
/// thread-safe.
/// </summary>
/// <remarks>
/// It does not script a conversation: from what is known it follows what each stage must still be told on its present
/// connection, so that a reconnect merely forgets what was said.
/// </remarks>
internal sealed class SessionCore
{
    /// <summary>The engine may run 32 ahead (rule 6): telling it every 8 tokens never stops it.</summary>
    public const int AcknowledgeStride = 8;

    /// <summary>After so many changes of epoch without a token, an explicit error (rule 10).</summary>
    public const int MaxRaises = 5;

    private readonly int _promptTokens;
    private readonly StageTalk[] _stages;
    private bool _cancelRequested;
    private bool _isComplete;  // the head has the whole answer, of which tokens are still missing here
    private int _consumed;
    private int _acknowledged; // said on the head's connection
    private int _raises;

    /// <param name="session">The session's id.</param>
    /// <param name="epoch">The epoch to open it at.</param>
    /// <param name="promptTokens">Tokens of the prompt.</param>
    /// <param name="stages">Stages of the path.</param>
    public SessionCore(SessionId session, Epoch epoch, int promptTokens, int stages)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stages, 1);
        Session = session;
        Epoch = epoch;
        _promptTokens = promptTokens;
        _stages = [.. Enumerable.Range(0, stages).Select(static _ => new StageTalk())];
    }

    public SessionId Session { get; }

    /// <summary>The present epoch; raised when the session is opened anew.</summary>
    public Epoch Epoch { get; private set; }

    /// <summary>Tokens of the answer received in order.</summary>
    public int Received { get; private set; }

    /// <summary>N of the protocol: tokens of prompt and answer that the router knows.</summary>
    public int Known => _promptTokens + Received;

    /// <summary>Tokens of prompt and answer that have gone to the client: what may be acknowledged.</summary>
    public int Consumed => _promptTokens + _consumed;

    /// <summary>Leading prompt tokens that every stage has cached.</summary>
    public int CachedPrefix => _stages.Min(static stage => stage.CachedPrefix);

    /// <summary>Where all stages start: what they have cached, at most N-1, in whole blocks (rule 2).</summary>
    public int Keep => Math.Min(CachedPrefix, _promptTokens - 1) / KvGroup.BlockTokens * KvGroup.BlockTokens;

    /// <summary>Whether all stages have accepted the session.</summary>
    public bool IsAccepted => Array.TrueForAll(_stages, static stage => stage.IsAccepted);

    /// <summary>Whether it is known how the session ended. Stages may still have to be told (<see cref="IsSettled"/>).</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Whether the router no longer wants the session.</summary>
    public bool IsCancelled => _cancelRequested;

    /// <summary>
    /// Whether the head owes the next token: it has been started, and everything received has been consumed.
    /// </summary>
    public bool IsWaitingForWorker => _stages[0] is { IsConnected: true, IsStarted: true } && !IsEnding && _consumed == Received;

    private bool IsEnding => IsEnded || _cancelRequested;

    /// <summary>The incarnation of a stage that holds (or is being asked to hold) the session.</summary>
    public long Incarnation(int stage) => _stages[stage].Incarnation;

    /// <summary>The incarnation of the stage that this one sends to, for Start; 0 on a path of one.</summary>
    public long NextIncarnation(int stage) => _stages.Length == 1 ? 0 : _stages[(stage + 1) % _stages.Length].Incarnation;

    /// <summary>
    /// What a rejoined stage is to send from: N at the head; elsewhere the prompt, since those stages have no tokens to
    /// send but may have an end to tell.
    /// </summary>
    public int KnownAt(int stage) => stage == 0 ? Known : _promptTokens;

    /// <summary>The epoch of the Cancel that was taken last.</summary>
    public Epoch CancelEpoch(int stage) => Epoch with { N = _stages[stage].Cancelled };

    /// <summary>Whether the stage's lease is to be renewed.</summary>
    public bool HoldsLease(int stage) => !IsEnding && _stages[stage] is { IsAccepted: true, IsDone: false };

    /// <summary>
    /// Whether there is nothing more to say to a stage or to hear from it. A Cancel on a connection over which the
    /// stage sends nothing for this session is not answered.
    /// </summary>
    public bool IsSettled(int stage) =>
        IsEnding && _stages[stage] is { IsDone: true } or { IsConnected: true, IsCancelSaid: true, IsHeard: false };

    /// <summary>The next thing to tell a stage on its connection; it counts as said.</summary>
    public SessionCommand TakeCommand(int index)
    {
        var stage = _stages[index];
        if (!stage.IsConnected || stage.IsDone)
        {
            return SessionCommand.None;
        }

        if (IsEnding)
        {
            return stage.SayCancel() ? SessionCommand.Cancel : SessionCommand.None;
        }

        if (!stage.IsAccepted)
        {
            return stage.SayOpen(Epoch.N) ? SessionCommand.Open : SessionCommand.None;
        }

        if (stage.SayRejoin())
        {
            return SessionCommand.Rejoin;
        }

        if (!IsAccepted)
        {
            return SessionCommand.None; // Start goes to all, to the incarnations that accepted
        }

        if (stage.SayStart())
        {
            return SessionCommand.Start;
        }

        if (index == 0 && _consumed - _acknowledged >= AcknowledgeStride)
        {
            _acknowledged = _consumed;
            return SessionCommand.Acknowledge;
        }

        return SessionCommand.None;
    }

    /// <summary>A control stream to a stage is up, to this incarnation.</summary>
    /// <returns>False when the session is lost with the stage's earlier incarnation.</returns>
    public bool OnConnected(int index, long incarnation)
    {
        var stage = _stages[index];
        var lost = stage.Connect(incarnation);
        if (index == 0)
        {
            _acknowledged = 0;
        }

        if (IsEnding && stage.Asked < 0)
        {
            Leave(stage); // a new incarnation: there is nothing to cancel
        }

        return !lost || stage.IsDone || OnUnknown(index, Epoch, incarnation);
    }

    /// <summary>The control stream is gone; nothing is said until the next.</summary>
    public void OnDisconnected(int index) => _stages[index].Disconnect();

    /// <summary>The stage stays away for good: there is nobody to tell.</summary>
    public void OnGivenUp(int index) => Leave(_stages[index]);

    /// <summary>A stage accepted the session.</summary>
    public void OnAccepted(int index, Epoch at, int cachedPrefix)
    {
        if (at == Epoch && !IsEnding && !_stages[index].IsAccepted)
        {
            _stages[index].Accept(at.N, cachedPrefix);
        }
    }

    /// <summary>A stage refused the session.</summary>
    /// <returns>Whether that concerns the present epoch, so that the session has ended.</returns>
    public bool OnRefused(int index, Epoch at)
    {
        var stage = _stages[index];
        if (IsEnding)
        {
            return at == AskedEpoch(stage) && Leave(stage);
        }

        if (at != Epoch)
        {
            return false;
        }

        stage.IsDone = true;
        return End();
    }

    /// <summary>
    /// Tokens arrived.
    /// </summary>
    /// <returns>
    /// How many of them to skip because they are known; <paramref name="count"/> when none is to be taken (another
    /// epoch's, no head's, or beyond a gap, after which the head is asked again from N on).
    /// </returns>
    public int OnTokens(int index, Epoch at, int first, int count)
    {
        if (index != 0 || at != Epoch || IsEnding || !_stages[0].IsAccepted)
        {
            return count;
        }

        if (first > Received)
        {
            _stages[0].Miss();
            return count;
        }

        var skip = Math.Min(count, Received - first);
        Received += count - skip;
        return skip;
    }

    /// <summary>A stage ended the session after <paramref name="generated"/> tokens.</summary>
    /// <returns>
    /// Whether the session has ended by this; false when tokens are missing, which are then asked for, or when the
    /// answer is complete all the same.
    /// </returns>
    public bool OnFinished(int index, Epoch at, FinishReason reason, int generated)
    {
        var stage = _stages[index];
        if (IsEnding)
        {
            return at == AskedEpoch(stage) && Leave(stage);
        }

        if (at != Epoch || stage.IsDone)
        {
            return false;
        }

        if (index == 0 && generated > Received)
        {
            _isComplete = true;
            stage.Miss();
            return false;
        }

        stage.IsDone = true;
        if (index != 0 && (_isComplete || reason is FinishReason.Stop or FinishReason.Length))
        {
            return false; // how the answer ends is the head's to say
        }

        return End();
    }

    /// <summary>
    /// A stage lacks the session. Without a token so far it is opened anew everywhere at a raised epoch; otherwise it
    /// is lost.
    /// </summary>
    /// <param name="index">The stage.</param>
    /// <param name="at">The epoch that was addressed.</param>
    /// <param name="incarnation">The worker's present incarnation.</param>
    /// <returns>Whether the session goes on.</returns>
    public bool OnUnknown(int index, Epoch at, long incarnation)
    {
        var stage = _stages[index];
        if (IsEnding)
        {
            if (at == AskedEpoch(stage) && stage.IsCancelSaid)
            {
                Leave(stage); // else it may still hold an earlier epoch, whose Cancel comes next
            }

            return !IsEnded;
        }

        if (at != Epoch || stage.IsDone)
        {
            return true;
        }

        stage.Lack(incarnation);
        if (index != 0 && _isComplete)
        {
            stage.IsDone = true;
            return true; // only the head is needed any more
        }

        if (Received > 0 || _raises >= MaxRaises)
        {
            stage.IsDone = true;
            End();
            return false;
        }

        _raises++;
        _isComplete = false;
        Epoch = Epoch with { N = Epoch.N + 1 };
        Array.ForEach(_stages, static each => each.Reopen());
        return true;
    }

    /// <summary>Another router, or a later epoch, holds the session: this one stops, and cancels nothing of it.</summary>
    /// <returns>Whether that concerned the present epoch.</returns>
    public bool OnStale(Epoch present)
    {
        if (present <= Epoch)
        {
            return false;
        }

        Array.ForEach(_stages, static stage => stage.IsDone = true);
        return End();
    }

    /// <summary>A probe found that the head has sent what did not arrive.</summary>
    public void OnMissed() => _stages[0].Miss();

    /// <summary>The client has the first <paramref name="tokens"/> tokens of the answer.</summary>
    public void OnConsumed(int tokens) => _consumed = Math.Max(_consumed, Math.Min(tokens, Received));

    /// <summary>The router no longer wants the session.</summary>
    /// <returns>Whether a worker must be told; false when none ever heard of it, or it has ended.</returns>
    public bool Cancel()
    {
        if (IsEnded)
        {
            return false;
        }

        _cancelRequested = true;
        ForgetUnasked();
        IsEnded = Array.TrueForAll(_stages, static stage => stage.IsDone);
        return !IsEnded;
    }

    private Epoch AskedEpoch(StageTalk stage) => Epoch with { N = stage.Asked };

    /// <summary>A stage of a session that ends has nothing more to say.</summary>
    /// <returns>Whether the session has ended by this.</returns>
    private bool Leave(StageTalk stage)
    {
        stage.IsDone = true;
        if (IsEnded || !Array.TrueForAll(_stages, static each => each.IsDone))
        {
            return false;
        }

        IsEnded = true;
        return true;
    }

    private bool End()
    {
        IsEnded = true;
        ForgetUnasked();
        return true;
    }

    private void ForgetUnasked()
    {
        foreach (var stage in _stages)
        {
            stage.IsDone |= stage.Asked < 0;
        }
    }
}
