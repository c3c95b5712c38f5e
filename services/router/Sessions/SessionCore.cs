using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Sessions;

/// <summary>
/// One session as the router holds it, over a path of one stage: what it knows, and what it has to say next. Pure:
/// messages in, commands out; no clock, no I/O. Not thread-safe.
/// </summary>
/// <remarks>
/// It does not script a conversation: from what is known it follows what the worker must still be told on the present
/// connection, so that a reconnect merely forgets what was said.
/// </remarks>
internal sealed class SessionCore(SessionId session, Epoch epoch, int promptTokens)
{
    /// <summary>The engine may run 32 ahead (rule 6): telling it every 8 tokens never stops it.</summary>
    public const int AcknowledgeStride = 8;

    /// <summary>After so many changes of epoch without a token, an explicit error (rule 10).</summary>
    public const int MaxRaises = 5;

    private bool _connected;
    private bool _opened;      // said on this connection
    private bool _rejoined;    // said on this connection
    private bool _started;     // said on this connection
    private bool _cancelled;   // said on this connection
    private bool _accepted;
    private bool _cancelRequested;
    private int _consumed;
    private int _acknowledged; // said on this connection
    private int _raises;

    public SessionId Session => session;

    /// <summary>The present epoch; raised when the session is opened anew.</summary>
    public Epoch Epoch { get; private set; } = epoch;

    /// <summary>The worker incarnation that holds (or is being asked to hold) the session.</summary>
    public long Incarnation { get; private set; }

    /// <summary>Tokens of the answer received in order.</summary>
    public int Received { get; private set; }

    /// <summary>N of the protocol: tokens of prompt and answer that the router knows.</summary>
    public int Known => promptTokens + Received;

    /// <summary>Tokens of prompt and answer that have gone to the client: what may be acknowledged.</summary>
    public int Consumed => promptTokens + _consumed;

    /// <summary>Leading prompt tokens that the worker has cached.</summary>
    public int CachedPrefix { get; private set; }

    /// <summary>Where to start: the cached prefix, at most N-1, in whole blocks (rule 2).</summary>
    public int Keep => Math.Min(CachedPrefix, promptTokens - 1) / KvGroup.BlockTokens * KvGroup.BlockTokens;

    /// <summary>Whether the worker has accepted the session.</summary>
    public bool IsAccepted => _accepted;

    /// <summary>Whether nothing more is expected from the worker.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Whether the router no longer wants the session.</summary>
    public bool IsCancelled => _cancelRequested;

    /// <summary>
    /// Whether the worker owes the next token: it has been started, and everything received has been consumed.
    /// </summary>
    public bool IsWaitingForWorker => _connected && _started && !IsEnded && !_cancelRequested && _consumed == Received;

    /// <summary>The next thing to tell the worker on this connection; it counts as said.</summary>
    public SessionCommand TakeCommand()
    {
        if (!_connected || IsEnded)
        {
            return SessionCommand.None;
        }

        if (_cancelRequested)
        {
            return Say(ref _cancelled, SessionCommand.Cancel);
        }

        if (!_accepted)
        {
            return Say(ref _opened, SessionCommand.Open);
        }

        if (!_rejoined)
        {
            return Say(ref _rejoined, SessionCommand.Rejoin);
        }

        if (!_started)
        {
            // Repeated after a reconnect: the first may have been lost. The worker takes only one.
            return Say(ref _started, SessionCommand.Start);
        }

        if (_consumed - _acknowledged >= AcknowledgeStride)
        {
            _acknowledged = _consumed;
            return SessionCommand.Acknowledge;
        }

        return SessionCommand.None;
    }

    /// <summary>A control stream to the worker is up, to this incarnation.</summary>
    /// <returns>False when the session is lost with the worker's earlier incarnation.</returns>
    public bool OnConnected(long incarnation)
    {
        _connected = true;
        _opened = _rejoined = _started = _cancelled = false;
        _acknowledged = 0;
        if (_accepted && Incarnation != incarnation)
        {
            return OnUnknown(Epoch, incarnation);
        }

        Incarnation = incarnation;
        return true;
    }

    /// <summary>The control stream is gone; nothing is said until the next.</summary>
    public void OnDisconnected() => _connected = false;

    /// <summary>The worker accepted the session.</summary>
    public void OnAccepted(Epoch at, int cachedPrefix)
    {
        if (at != Epoch || _accepted || IsEnded)
        {
            return;
        }

        _accepted = true;
        _rejoined = true; // it opened here, so that it already sends from token 0
        CachedPrefix = cachedPrefix;
    }

    /// <summary>The worker refused the session.</summary>
    /// <returns>Whether that concerns the present epoch, so that the session has ended.</returns>
    public bool OnRefused(Epoch at) => at == Epoch && End();

    /// <summary>
    /// Tokens arrived.
    /// </summary>
    /// <returns>
    /// How many of them to skip because they are known; <paramref name="count"/> when none is to be taken (another
    /// epoch's, or beyond a gap, after which the worker is asked again from N on).
    /// </returns>
    public int OnTokens(Epoch at, int first, int count)
    {
        if (at != Epoch || IsEnded || _cancelRequested || !_accepted)
        {
            return count;
        }

        if (first > Received)
        {
            _rejoined = false;
            return count;
        }

        var skip = Math.Min(count, Received - first);
        Received += count - skip;
        return skip;
    }

    /// <summary>The worker ended the session after <paramref name="generated"/> tokens.</summary>
    /// <returns>Whether the session has ended; false when tokens are missing, which are then asked for.</returns>
    public bool OnFinished(Epoch at, int generated)
    {
        if (at != Epoch || IsEnded)
        {
            return false;
        }

        if (generated > Received && !_cancelRequested)
        {
            _rejoined = false;
            return false;
        }

        return End();
    }

    /// <summary>
    /// The worker lacks the session. Without a token so far it is opened anew at a raised epoch; otherwise it is lost.
    /// </summary>
    /// <param name="at">The epoch that was addressed.</param>
    /// <param name="incarnation">The worker's present incarnation.</param>
    /// <returns>Whether the session goes on.</returns>
    public bool OnUnknown(Epoch at, long incarnation)
    {
        if (at != Epoch)
        {
            return !IsEnded;
        }

        if (IsEnded)
        {
            return false;
        }

        if (_cancelRequested || Received > 0 || _raises >= MaxRaises)
        {
            End();
            return false;
        }

        _raises++;
        Epoch = Epoch with { N = Epoch.N + 1 };
        Incarnation = incarnation;
        _accepted = _opened = _rejoined = _started = false;
        CachedPrefix = 0;
        return true;
    }

    /// <summary>Another router, or a later epoch, holds the session: this one stops.</summary>
    /// <returns>Whether that concerned the present epoch.</returns>
    public bool OnStale(Epoch present) => present > Epoch && End();

    /// <summary>A probe found that the worker has sent what did not arrive.</summary>
    public void OnMissed() => _rejoined = false;

    /// <summary>The client has the first <paramref name="tokens"/> tokens of the answer.</summary>
    public void OnConsumed(int tokens) => _consumed = Math.Max(_consumed, Math.Min(tokens, Received));

    /// <summary>The router no longer wants the session.</summary>
    /// <returns>Whether the worker must be told; false when it never heard of it.</returns>
    public bool Cancel()
    {
        if (IsEnded)
        {
            return false;
        }

        _cancelRequested = true;
        if (Incarnation == 0)
        {
            End();
            return false;
        }

        return true;
    }

    private static SessionCommand Say(ref bool said, SessionCommand command)
    {
        if (said)
        {
            return SessionCommand.None;
        }

        said = true;
        return command;
    }

    private bool End()
    {
        IsEnded = true;
        return true;
    }
}
