using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Sessions;

/// <summary>
/// One session as the router holds it, over a path of one or more stages: what it knows, and what it has to say next
/// to whom. The head, first on the path, gives out the tokens. Pure: messages in, commands out; no clock, no I/O. Not
/// thread-safe.
/// </summary>
/// <remarks>
/// It does not script a conversation: from what is known it follows what each worker must still be told on its present
/// connection, so that a reconnect merely forgets what was said. Every worker that ever had a part in the session has a
/// seat; the path is a row of seats. A change of path (session protocol, rule 5) raises n: all seats of the new path are
/// fenced by an Open at the new epoch and resumed by a Start when all have acknowledged it; seats that are off the path are
/// told to cancel.
/// </remarks>
internal sealed class SessionCore
{
    /// <summary>The engine may run 32 ahead (rule 6): telling it every 8 tokens never stops it.</summary>
    public const int AcknowledgeStride = 8;

    /// <summary>
    /// After so many changes of epoch for no reason that was found, without a token or other progress, an explicit error
    /// (rule 10).
    /// </summary>
    public const int MaxRaises = 5;

    private readonly int _promptTokens;
    private readonly SessionRules _rules;
    private List<StageTalk> _seats = [];
    private List<(int Seat, int Place)> _standbys = [];
    private int[] _path;
    private int _standbysVersion; // of this epoch
    private bool _cancelRequested;
    private bool _isComplete;  // the head has the whole answer, of which tokens are still missing here
    private int _consumed;
    private int _acknowledged; // said on the head's connection
    private int _startKnown;   // N of this epoch's Start; 0 until all have accepted
    private int _raises;
    private long _progress;

    /// <param name="session">The session's id.</param>
    /// <param name="epoch">The epoch to open it at.</param>
    /// <param name="promptTokens">Tokens of the prompt.</param>
    /// <param name="stages">Stages of the path: seats 0 to stages - 1.</param>
    /// <param name="answerTokens">Tokens of the answer that are known already.</param>
    /// <param name="rules">All, but in tests that show what a rule is for.</param>
    public SessionCore(SessionId session, Epoch epoch, int promptTokens, int stages, int answerTokens = 0, SessionRules rules = SessionRules.All)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stages, 1);
        Session = session;
        Epoch = epoch;
        Received = OpenAnswer = answerTokens;
        _promptTokens = promptTokens;
        _rules = rules;
        _path = [.. Enumerable.Range(0, stages)];
        _seats.AddRange(_path.Select(static _ => new StageTalk()));
    }

    public SessionId Session { get; }

    /// <summary>The present epoch; raised when the path changes.</summary>
    public Epoch Epoch { get; private set; }

    /// <summary>Seats of the path, from the head to the tail.</summary>
    public ReadOnlySpan<int> Path => _path;

    /// <summary>Seats of workers that stand by, each for the stage at a place of the path.</summary>
    public IReadOnlyList<(int Seat, int Place)> Standbys => _standbys;

    /// <summary>The head's seat.</summary>
    public int Head => _path[0];

    /// <summary>Tokens of the answer received in order.</summary>
    public int Received { get; private set; }

    /// <summary>N of the protocol: tokens of prompt and answer that the router knows.</summary>
    public int Known => _promptTokens + Received;

    /// <summary>Tokens of the answer that Open names in this epoch.</summary>
    public int OpenAnswer { get; private set; }

    /// <summary>Tokens of the answer that Start must be told of, beyond Open's.</summary>
    public int StartAnswer => _startKnown - _promptTokens - OpenAnswer;

    /// <summary>Tokens of prompt and answer that have gone to the client: what may be acknowledged.</summary>
    public int Consumed => _promptTokens + _consumed;

    /// <summary>Leading positions that every stage held when it accepted.</summary>
    public int CachedPrefix
    {
        get
        {
            var least = int.MaxValue;
            foreach (var seat in _path)
            {
                least = Math.Min(least, _seats[seat].CachedPrefix);
            }

            return least;
        }
    }

    /// <summary>
    /// Where all stages start: what they have cached, at most N-1, in whole blocks (rule 2). After a change of path, or with a
    /// part of the answer known, N-1: who has less says so to its neighbour (rule 5).
    /// </summary>
    public int Keep => IsResume ? _startKnown - (_rules.HasFlag(SessionRules.LastPositionRunsAgain) ? 1 : 0) : Math.Min(CachedPrefix, _promptTokens - 1) / KvGroup.BlockTokens * KvGroup.BlockTokens;

    /// <summary>As <see cref="Keep"/>, of a standby, which may have cached less than the stages of the path.</summary>
    public int KeepAt(int seat) => IsStandby(seat) && !IsResume ? Math.Min(Keep, _seats[seat].CachedPrefix / KvGroup.BlockTokens * KvGroup.BlockTokens) : Keep;

    /// <summary>Seats that a stage mirrors to: those that stand by for the next stage, the tail's next being the head.</summary>
    public IEnumerable<int> MirrorsOf(int seat)
    {
        var place = (PlaceOf(seat) + 1) % _path.Length;
        return _standbys.Where(standby => standby.Place == place && IsWarm(standby.Seat)).Select(static standby => standby.Seat);
    }

    /// <summary>Positions, or of the tail's tokens, that a warm standby has as far as it is known: what follows is mirrored to it.</summary>
    public int MirrorFrom(int seat) => PlaceOf(seat) == 0 ? _startKnown : Math.Min(KeepAt(seat), _seats[seat].CachedPrefix);

    /// <summary>Whether all stages have accepted the session at the present epoch.</summary>
    public bool IsAccepted => Array.TrueForAll(_path, seat => _seats[seat].IsAccepted);

    /// <summary>Whether it is known how the session ended. Stages may still have to be told (<see cref="IsSettled"/>).</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Whether the router no longer wants the session.</summary>
    public bool IsCancelled => _cancelRequested;

    /// <summary>Whether a stage of the path is lost or out of reach, so that the session cannot go on before <see cref="Reroute"/>.</summary>
    public bool NeedsPath => !IsEnding && Array.Exists(_path, seat => _seats[seat] is { IsLost: true } or { IsUnreachable: true });

    /// <summary>
    /// Whether the head owes the next token: it has been started, and everything received has been consumed.
    /// </summary>
    public bool IsWaitingForWorker => _seats[Head] is { IsConnected: true, IsStarted: true } && !IsEnding && _consumed == Received;

    private bool IsEnding => IsEnded || _cancelRequested;

    private bool IsResume => Epoch.N > 0 || _startKnown > _promptTokens;

    /// <summary>Whether a seat is on the path.</summary>
    public bool IsOnPath(int seat) => Array.IndexOf(_path, seat) >= 0;

    /// <summary>A seat's place on the path, from 0, or the place that it stands by for; -1 when it has neither.</summary>
    public int PlaceOf(int seat) => IsOnPath(seat) ? Array.IndexOf(_path, seat)
        : _standbys.FindIndex(standby => standby.Seat == seat) is var at and >= 0 ? _standbys[at].Place : -1;

    /// <summary>Whether a seat stands by for a stage.</summary>
    public bool IsStandby(int seat) => _standbys.Exists(standby => standby.Seat == seat);

    /// <summary>Whether a worker that stands by has a state to take over with.</summary>
    public bool IsWarm(int seat) => _seats[seat] is { IsAccepted: true, IsStarted: true, IsConnected: true };

    /// <summary>Whether a seat's worker is lost for the present epoch, or out of reach.</summary>
    public bool IsGone(int seat) => _seats[seat] is { IsLost: true } or { IsUnreachable: true };

    /// <summary>Whether a seat's worker is lost for the present epoch, so that it takes another epoch to go on with it.</summary>
    public bool IsLost(int seat) => _seats[seat].IsLost;

    /// <summary>Whether the worker of a seat accepted the session at the present epoch.</summary>
    public bool HasAccepted(int seat) => _seats[seat].IsAccepted;

    /// <summary>The incarnation of a worker that holds (or is being asked to hold) the session.</summary>
    public long Incarnation(int seat) => _seats[seat].Incarnation;

    /// <summary>The incarnation of the stage that this one sends to, for Start; 0 on a path of one.</summary>
    public long NextIncarnation(int seat) => _path.Length == 1 ? 0 : _seats[_path[(PlaceOf(seat) + 1) % _path.Length]].Incarnation;

    /// <summary>
    /// What a rejoined stage is to send from: N at the head; elsewhere the prompt, since those stages have no tokens to
    /// send but may have an end to tell.
    /// </summary>
    public int KnownAt(int seat) => seat == Head ? Known : _promptTokens;

    /// <summary>The epoch of the Cancel that was taken last.</summary>
    public Epoch CancelEpoch(int seat) => Epoch with { N = _seats[seat].Cancelled };

    /// <summary>Whether the seat's lease is to be renewed.</summary>
    public bool HoldsLease(int seat) => !IsLeaving(seat) && _seats[seat] is { IsAccepted: true, IsDone: false };

    /// <summary>
    /// Whether there is nothing more to say to a seat or to hear from it. A Cancel on a connection over which the
    /// worker sends nothing for this session is not answered.
    /// </summary>
    public bool IsSettled(int seat) =>
        IsLeaving(seat) && _seats[seat] is { IsDone: true } or { IsConnected: true, IsCancelSaid: true, IsHeard: false };

    /// <summary>The next thing to tell a worker on its connection; it counts as said.</summary>
    public SessionCommand TakeCommand(int seat)
    {
        var stage = _seats[seat];
        if (!stage.IsConnected || stage.IsDone)
        {
            return SessionCommand.None;
        }

        if (IsLeaving(seat))
        {
            return stage.SayCancel() ? SessionCommand.Cancel : SessionCommand.None;
        }

        if (stage.IsLost)
        {
            return SessionCommand.None; // in this epoch
        }

        var isStandby = !IsOnPath(seat);
        if (isStandby && _startKnown == 0)
        {
            return SessionCommand.None; // nobody waits for a standby, and it for everybody
        }

        if (!stage.IsAccepted)
        {
            return stage.SayOpen(Epoch.N) ? SessionCommand.Open : SessionCommand.None;
        }

        if (stage.SayRejoin())
        {
            return SessionCommand.Rejoin;
        }

        if (isStandby)
        {
            return SayStandbyStart(stage);
        }

        if (!IsAccepted && _rules.HasFlag(SessionRules.StartWaitsForAll))
        {
            return SessionCommand.None; // Start goes to all, to the incarnations that accepted
        }

        if (_startKnown == 0)
        {
            _startKnown = Known; // of this epoch, whatever comes while a Start is repeated
        }

        if ((seat == Head || _rules.HasFlag(SessionRules.StartToAll)) && stage.SayStart())
        {
            return SessionCommand.Start;
        }

        if (stage.SayMirrors(_standbysVersion))
        {
            return SessionCommand.Mirror;
        }

        if (seat == Head && _consumed - _acknowledged >= AcknowledgeStride)
        {
            _acknowledged = _consumed;
            return SessionCommand.Acknowledge;
        }

        return SessionCommand.None;
    }

    /// <summary>One more worker may have a part in the session.</summary>
    /// <returns>Its seat.</returns>
    public int AddSeat()
    {
        _seats.Add(new StageTalk());
        return _seats.Count - 1;
    }

    /// <summary>A worker stands by for the stage at a place of the path: it is opened once the path has started.</summary>
    /// <param name="seat">Its seat, not on the path.</param>
    /// <param name="place">Whose place it could take.</param>
    public void StandBy(int seat, int place)
    {
        _standbys.Add((seat, place));
        _seats[seat].Reopen();
    }

    /// <summary>
    /// The session goes on over another path, or over the same one again: n is raised, and everybody on the path is fenced.
    /// </summary>
    /// <param name="path">Seats from head to tail.</param>
    public void Reroute(ReadOnlySpan<int> path)
    {
        _path = path.ToArray();
        Epoch = Epoch with { N = Epoch.N + 1 };
        OpenAnswer = Received;
        _startKnown = _acknowledged = 0;
        _isComplete = false;
        _standbysVersion = 0;
        _standbys.RemoveAll(standby => IsOnPath(standby.Seat) || standby.Place >= _path.Length);
        foreach (var seat in _path)
        {
            _seats[seat].Reopen();
        }

        foreach (var (seat, _) in _standbys)
        {
            _seats[seat].Reopen(); // they keep what they have, and are asked anew when the path has started
        }

        for (var seat = 0; seat < _seats.Count; seat++)
        {
            if (IsLeaving(seat))
            {
                LeaveIfUnasked(_seats[seat]);
            }
        }
    }

    /// <summary>A worker stands by no longer.</summary>
    public void DropStandby(int seat)
    {
        if (_standbys.RemoveAll(standby => standby.Seat == seat) > 0)
        {
            _standbysVersion++;
            LeaveIfUnasked(_seats[seat]);
        }
    }

    /// <summary>Nothing was found broken, and yet no token comes: n is to be raised on some path, but not for ever.</summary>
    /// <returns>False when that was tried too often.</returns>
    public bool MayRaise() => ++_raises <= MaxRaises;

    /// <summary>A control stream to a worker is up, to this incarnation.</summary>
    /// <returns>False when the session is lost with the worker's earlier incarnation: it needs a path.</returns>
    public bool OnConnected(int seat, long incarnation)
    {
        var stage = _seats[seat];
        var lost = stage.Connect(incarnation, repeats: _rules.HasFlag(SessionRules.RepeatOnReconnect)) && _rules.HasFlag(SessionRules.IncarnationCheck);
        if (seat == Head)
        {
            _acknowledged = 0;
        }

        if (IsLeaving(seat))
        {
            LeaveIfUnasked(stage); // a new incarnation: there is nothing to cancel
        }

        return !lost || stage.IsDone || !Lose(seat);
    }

    /// <summary>The control stream is gone; nothing is said until the next.</summary>
    public void OnDisconnected(int seat) => _seats[seat].Disconnect();

    /// <summary>The worker does not come back at once: the session needs a path without it.</summary>
    public void OnUnreachable(int seat)
    {
        if (!_seats[seat].IsConnected)
        {
            _seats[seat].IsUnreachable = true;
            DropStandby(seat);
        }
    }

    /// <summary>The worker stays away for good: there is nobody to tell.</summary>
    public void OnGivenUp(int seat)
    {
        Lose(seat);
        if (IsLeaving(seat))
        {
            Leave(_seats[seat]);
        }
    }

    /// <summary>
    /// A stage is of no use in this epoch: it does not answer, does not hold the session, or says that it is broken.
    /// </summary>
    /// <returns>Whether the session needs a path for it; false when it needs the stage no longer, or a standby alone is lost.</returns>
    public bool Lose(int seat)
    {
        DropStandby(seat);
        if (IsEnding || !IsOnPath(seat))
        {
            return false;
        }

        if (seat != Head && _isComplete)
        {
            _seats[seat].IsDone = true;
            return false; // only the head is needed any more
        }

        _seats[seat].IsLost = true;
        return true;
    }

    /// <summary>A worker accepted the session.</summary>
    /// <param name="seat">Whose.</param>
    /// <param name="at">The epoch that it names.</param>
    /// <param name="applied">Positions that it holds.</param>
    /// <param name="first">Index of the first token that it sends with it.</param>
    /// <param name="count">How many of them there are.</param>
    /// <returns>How many of these tokens to skip, as <see cref="OnTokens"/>.</returns>
    public int OnAccepted(int seat, Epoch at, int applied, int first = 0, int count = 0)
    {
        var stage = _seats[seat];
        if (!IsCurrent(at) || IsLeaving(seat) || stage.IsAccepted)
        {
            return count;
        }

        stage.Accept(Epoch.N, applied);
        if (IsAccepted)
        {
            NoteProgress();
        }

        return seat == Head && first <= Received ? Take(first, count) : count;
    }

    /// <summary>A worker refused the session.</summary>
    /// <returns>What that means for the session.</returns>
    public SessionTurn OnRefused(int seat, Epoch at)
    {
        var stage = _seats[seat];
        if (IsLeaving(seat))
        {
            return at == AskedEpoch(stage) && Leave(stage) ? SessionTurn.Ended : SessionTurn.None;
        }

        if (!IsCurrent(at))
        {
            return SessionTurn.None;
        }

        stage.Lack();
        if (Epoch.N > 0 || IsStandby(seat))
        {
            return Lose(seat) ? SessionTurn.NeedsPath : SessionTurn.None;
        }

        stage.IsDone = true;
        End();
        return SessionTurn.Ended;
    }

    /// <summary>
    /// Tokens arrived.
    /// </summary>
    /// <returns>
    /// How many of them to skip because they are known; <paramref name="count"/> when none is to be taken (another
    /// epoch's, no head's, or beyond a gap, after which the head is asked again from N on).
    /// </returns>
    public int OnTokens(int seat, Epoch at, int first, int count)
    {
        if (seat != Head || !IsCurrent(at) || IsEnding || !_seats[seat].IsAccepted)
        {
            return count;
        }

        if (first > Received)
        {
            _seats[seat].Miss();
            return count;
        }

        _raises = 0;
        return Take(first, count);
    }

    /// <summary>A worker ended the session after <paramref name="generated"/> tokens.</summary>
    /// <returns>What that means for the session; nothing while tokens are missing, which are then asked for, or when the answer is complete all the same.</returns>
    public SessionTurn OnFinished(int seat, Epoch at, FinishReason reason, int generated)
    {
        var stage = _seats[seat];
        if (IsLeaving(seat))
        {
            return at == AskedEpoch(stage) && Leave(stage) ? SessionTurn.Ended : SessionTurn.None;
        }

        if (!IsCurrent(at) || stage.IsDone)
        {
            return SessionTurn.None;
        }

        var isWhole = reason is FinishReason.Stop or FinishReason.Length;
        if (seat == Head && isWhole && generated > Received)
        {
            _isComplete = true;
            stage.Miss();
            return SessionTurn.None;
        }

        if (reason is FinishReason.Error or FinishReason.Cancelled || IsStandby(seat))
        {
            stage.Lack();
            return Lose(seat) ? SessionTurn.NeedsPath : SessionTurn.None;
        }

        stage.IsDone = true;
        if (seat != Head && (_isComplete || isWhole))
        {
            return SessionTurn.None; // how the answer ends is the head's to say
        }

        End();
        return SessionTurn.Ended;
    }

    /// <summary>A worker lacks the session.</summary>
    /// <param name="seat">Whose.</param>
    /// <param name="at">The epoch that was addressed.</param>
    /// <param name="incarnation">The worker's present incarnation.</param>
    /// <returns>What that means for the session.</returns>
    public SessionTurn OnUnknown(int seat, Epoch at, long incarnation)
    {
        var stage = _seats[seat];
        if (IsLeaving(seat))
        {
            // Else it may still hold an earlier epoch, whose Cancel comes next.
            return at == AskedEpoch(stage) && stage.IsCancelSaid && Leave(stage) ? SessionTurn.Ended : SessionTurn.None;
        }

        if (!IsCurrent(at) || stage.IsDone)
        {
            return SessionTurn.None;
        }

        stage.Lack(incarnation);
        return Lose(seat) ? SessionTurn.NeedsPath : SessionTurn.None;
    }

    /// <summary>Another router, or a later epoch, holds the session: this one stops, and cancels nothing of it.</summary>
    /// <returns>Whether that concerned the present epoch.</returns>
    public bool OnStale(Epoch present)
    {
        if (present <= Epoch)
        {
            return false;
        }

        _seats.ForEach(static stage => stage.IsDone = true);
        End();
        return true;
    }

    /// <summary>A probe found that the head has sent what did not arrive.</summary>
    public void OnMissed() => _seats[Head].Miss();

    /// <summary>The client has the first <paramref name="tokens"/> tokens of the answer.</summary>
    public void OnConsumed(int tokens) => _consumed = Math.Max(_consumed, Math.Min(tokens, Received));

    /// <summary>The answer is complete without a word of the head's.</summary>
    public void Complete()
    {
        _cancelRequested = true;
        End();
    }

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
        IsEnded = _seats.TrueForAll(static stage => stage.IsDone);
        return !IsEnded;
    }

    /// <summary>A core in the same state that goes its own way from here.</summary>
    internal SessionCore Clone()
    {
        var copy = (SessionCore)MemberwiseClone();
        copy._seats = [.. _seats.Select(static stage => stage.Clone())];
        copy._standbys = [.. _standbys];
        return copy;
    }

    /// <summary>Says all that decides what it does from here on, for tests that compare states.</summary>
    internal void WriteTo(List<long> state)
    {
        state.Add(Epoch.Term);
        state.Add(Epoch.RouterId.GetHashCode());
        state.Add(Epoch.N);
        state.Add(Received);
        state.Add(OpenAnswer);
        state.Add((IsEnded ? 1 : 0) + (_cancelRequested ? 2 : 0) + (_isComplete ? 4 : 0));
        state.Add(_consumed);
        state.Add(_acknowledged);
        state.Add(_startKnown);
        state.Add(_raises);
        state.Add(_progress);
        state.Add(_standbysVersion);
        foreach (var (seat, place) in _standbys)
        {
            state.Add(seat);
            state.Add(place);
        }

        state.Add(_path.Length);
        foreach (var seat in _path)
        {
            state.Add(seat);
        }

        foreach (var stage in _seats)
        {
            stage.WriteTo(state);
        }
    }

    private SessionCommand SayStandbyStart(StageTalk stage)
    {
        if (!stage.SayStart())
        {
            return SessionCommand.None;
        }

        _standbysVersion++; // the stage before the one that it stands by for is to be told
        return SessionCommand.Start;
    }

    private bool IsCurrent(Epoch at) => at == Epoch || !_rules.HasFlag(SessionRules.EpochCheck);

    private bool IsLeaving(int seat) => IsEnding || !(IsOnPath(seat) || IsStandby(seat));

    private Epoch AskedEpoch(StageTalk stage) => Epoch with { N = stage.Asked };

    private int Take(int first, int count)
    {
        var skip = Math.Min(count, Received - first);
        Received += count - skip;
        return skip;
    }

    /// <summary>An epoch in which the stages hold more than in those before is progress, even without a token.</summary>
    private void NoteProgress()
    {
        var progress = _path.Sum(seat => (long)_seats[seat].CachedPrefix);
        if (progress > _progress)
        {
            _progress = progress;
            _raises = 0;
        }
    }

    /// <summary>A worker of a session that ends, or that is off its path, has nothing more to say.</summary>
    /// <returns>Whether the session has ended by this.</returns>
    private bool Leave(StageTalk stage)
    {
        stage.IsDone = true;
        if (IsEnded || !_cancelRequested || !_seats.TrueForAll(static each => each.IsDone))
        {
            return false;
        }

        IsEnded = true;
        return true;
    }

    private void LeaveIfUnasked(StageTalk stage)
    {
        if (stage.Asked < 0)
        {
            Leave(stage);
        }
    }

    private void End()
    {
        IsEnded = true;
        ForgetUnasked();
    }

    private void ForgetUnasked()
    {
        foreach (var stage in _seats)
        {
            stage.IsDone |= stage.Asked < 0;
        }
    }
}
