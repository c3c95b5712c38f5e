using System.Collections.Immutable;
using System.Diagnostics;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Observability;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using FinishReason = Parallax.Runtime.Execution.FinishReason;
using Shard = Parallax.Worker.Gpu.Shards.Shard;

namespace Parallax.Worker.Gpu.Control;

/// <summary>
/// One session as the control service sees it: all its ids, and how far they have been sent over the stream that owns
/// it now. The engine's loop appends; a stream's writer takes. Appending never waits: what is not yet sent stays here,
/// and the engine's run-ahead bound keeps that short. It stays with the shard that it was opened on, whatever is loaded
/// beside it. Thread-safe.
/// </summary>
internal sealed partial class WorkerSession(
    SessionId id, Epoch epoch, int promptTokens, bool withLogProbs, long incarnation, SessionTable table, Shard? shard = null, bool emitsTokens = true,
    IReadOnlyList<int>? answer = null)
    : ISessionSink
{
    private readonly Lock _gate = new(); // guards everything below
    private readonly List<int> _ids = [.. answer ?? []];
    private Queue<LogProbs> _logProbs = new(); // of ids from _logProbsFrom on; the router has the earlier ones
    private bool _emitsTokens = emitsTokens; // the head's are; a standby's are not, until it takes over
    private Epoch _epoch = epoch;
    private SessionRef _reference = SessionRefs.Create(id, epoch, incarnation);
    private Tokens _tokens = new(); // reused: only the owning stream's writer fills and sends it
    private int _logProbsFrom = answer?.Count ?? 0;
    private StageLoss? _loss; // to be told
    private StageLoss? _toldLoss; // in this epoch: told again after a reconnect, since it may have got lost
    private SessionEnd? _end;
    private ControlStream? _owner;
    private OpenAck? _answer;
    private int _cursor = answer?.Count ?? 0;
    private int _answerKnown = answer?.Count ?? 0; // ids that the router named in its Open
    private bool _answerSent;
    private bool _endSent;
    private bool _queued;
    private bool _started;
    private bool _fenced; // since its last Fence, until Start: nothing but the answer to it is said
    private string? _abort;

    /// <summary>Its span; null for none.</summary>
    public Activity? Span { get; init; }

    public SessionId Id => id;

    public Epoch Epoch
    {
        get
        {
            lock (_gate)
            {
                return _epoch;
            }
        }
    }

    /// <summary>Where it was opened; null when it was refused before a shard was chosen.</summary>
    public Shard? Shard => shard;

    /// <summary>
    /// Whether a Fence finds something here: it runs, or its answer is complete. What ended otherwise has nothing to go on with.
    /// </summary>
    public bool CanBeFenced
    {
        get
        {
            lock (_gate)
            {
                return _end is null || IsComplete;
            }
        }
    }

    /// <summary>The session as messages to a router name it.</summary>
    public SessionRef Reference
    {
        get
        {
            lock (_gate)
            {
                return _reference;
            }
        }
    }

    /// <summary>The engine that it was opened on; null when it was refused before one was chosen.</summary>
    public ISessionEngine? Engine => shard?.Engine;

    /// <summary>Ids so far, and whether the session has ended.</summary>
    public (int Generated, bool Finished) Progress
    {
        get
        {
            lock (_gate)
            {
                return (_ids.Count, _end is not null);
            }
        }
    }

    /// <summary>
    /// A higher epoch's Open came: from now on the session is that epoch's, and until the answer nothing else is said of it.
    /// </summary>
    /// <param name="stream">Who asks.</param>
    /// <param name="at">The epoch.</param>
    /// <param name="known">The answer's ids that the router has.</param>
    /// <param name="emits">Whether its tokens are the answer, from now on.</param>
    /// <returns>Whether that stream waited for an earlier answer, which this one takes the place of.</returns>
    public bool Fence(ControlStream stream, Epoch at, IReadOnlyList<int> known, bool emits)
    {
        lock (_gate)
        {
            var waited = ReferenceEquals(_owner, stream) && !_answerSent;
            Own(stream);
            _epoch = at;
            _reference = SessionRefs.Create(id, at, incarnation);
            (_answer, _answerSent, _started, _fenced, _loss, _toldLoss) = (null, false, false, true, null, null);
            StageTracing.Fence(Span, at);
            _answerKnown = known.Count;
            _emitsTokens = emits;
            for (var i = _ids.Count; i < known.Count; i++)
            {
                _ids.Add(known[i]);
            }

            return waited;
        }
    }

    /// <summary>
    /// Sets Open's answer and sends it over the owning stream; one of an earlier epoch is void. The head adds what the router lacks of the answer, and that it
    /// is complete if it is.
    /// </summary>
    public void Answer(OpenAck answer)
    {
        lock (_gate)
        {
            if (answer.Session is { } named && named.ToEpoch() != _epoch)
            {
                return;
            }

            if (answer.Accepted is { } accepted && _emitsTokens)
            {
                // Without their log-probabilities, which a standby does not keep, they are drawn again.
                if (_ids.Count > _answerKnown && (!withLogProbs || _logProbsFrom <= _answerKnown))
                {
                    accepted.Tokens = new Tokens();
                    TakeTokens(accepted.Tokens, _answerKnown);
                }

                if (IsComplete)
                {
                    accepted.Finished = WorkerMapping.ToWire(_end!.Value, _reference);
                }
            }

            _answer = answer;
            Signal();
        }
    }

    /// <summary>The answer to a Fence of a session whose answer is complete; null when it is not.</summary>
    public OpenAck? AcknowledgeEnd(SessionRef reference)
    {
        lock (_gate)
        {
            return IsComplete ? new OpenAck { Session = reference, Accepted = new OpenAck.Types.Accepted() } : null;
        }
    }

    private bool IsComplete => _end is { Reason: FinishReason.Stop or FinishReason.Length } && _emitsTokens;

    /// <summary>
    /// Makes a stream the owner without moving the cursor; the answer to Open is sent (again).
    /// </summary>
    /// <returns>False when that stream already waits for this answer, so that nothing changes.</returns>
    public bool Adopt(ControlStream stream)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_owner, stream) && _answer is null)
            {
                return false;
            }

            Own(stream);
            _answerSent = false;
            Signal();
            return true;
        }
    }

    /// <summary>
    /// Makes a stream the owner and sends from the router's N on (rule 1). A stage behind the head has no tokens to send,
    /// whatever the router knows: only the session's end.
    /// </summary>
    /// <param name="stream">The new owner.</param>
    /// <param name="known">Tokens of prompt and answer that the router knows.</param>
    /// <returns>False when these are not tokens of this session.</returns>
    public bool Rejoin(ControlStream stream, int known)
    {
        lock (_gate)
        {
            var index = _emitsTokens ? known - promptTokens : 0;
            if (index < 0 || index > _ids.Count)
            {
                return false;
            }

            Own(stream);
            _cursor = index;
            _answerSent = _answer is not null; // the router would not rejoin without having it
            _endSent = false;
            _loss ??= _toldLoss;
            Signal();
            return true;
        }
    }

    /// <summary>The stream is gone; nothing is sent until another takes the session up.</summary>
    public void Release(ControlStream stream)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_owner, stream))
            {
                _owner = null;
                _queued = false;
            }
        }
    }

    /// <summary>
    /// True the first time in an epoch: Start may be repeated after a reconnect. The answer is then what the router knows of
    /// it, and goes on from there.
    /// </summary>
    /// <param name="more">Ids that the router has learnt since its Open.</param>
    public bool TryStart(IReadOnlyList<int> more)
    {
        lock (_gate)
        {
            if (_started)
            {
                return false;
            }

            (_started, _fenced) = (true, false);
            _ids.RemoveRange(_answerKnown, _ids.Count - _answerKnown);
            _ids.AddRange(more);
            _cursor = _ids.Count;
            if (_logProbsFrom >= _cursor || !_emitsTokens)
            {
                _logProbs.Clear();
                _logProbsFrom = _cursor;
            }
            else if (_logProbs.Count > _cursor - _logProbsFrom)
            {
                _logProbs = new Queue<LogProbs>(_logProbs.Take(_cursor - _logProbsFrom));
            }

            return true;
        }
    }

    /// <summary>The router has these tokens of prompt and answer: their log-probabilities are no longer needed.</summary>
    public void OnAcknowledged(int known)
    {
        lock (_gate)
        {
            while (_logProbsFrom < known - promptTokens && _logProbs.TryDequeue(out _))
            {
                _logProbsFrom++;
            }
        }
    }

    /// <summary>Ends the session with an error that says why, unless it has ended by itself.</summary>
    public void Abort(string error)
    {
        lock (_gate)
        {
            _abort = error;
        }

        Engine?.Cancel(id, Epoch);
    }

    /// <summary>Its Open was refused.</summary>
    public void OnRefused()
    {
        Span?.SetStatus(ActivityStatusCode.Error, "refused").Stop();
        table.RemoveRefused(this);
        shard?.Leave(this);
    }

    public void OnToken(in EmittedToken token)
    {
        lock (_gate)
        {
            if (token.Index < _ids.Count)
            {
                // A standby that was behind: the router named this token in its Fence, of which the engine has not heard yet.
                return;
            }

            _ids.Add(token.TokenId);
            if (!_emitsTokens)
            {
                _logProbsFrom = _ids.Count;
            }
            else if (withLogProbs)
            {
                _logProbs.Enqueue(new LogProbs(token.LogProb, token.TopLogProbs.IsDefault ? [] : token.TopLogProbs));
            }

            Signal();
        }
    }

    public void OnStageLost(in StageLoss loss)
    {
        lock (_gate)
        {
            if (loss.Epoch == _epoch)
            {
                _loss = loss;
                Signal();
            }
        }
    }

    public void OnFinished(in SessionEnd end)
    {
        int ids;
        lock (_gate)
        {
            _end = _abort is { } error && end.Reason == FinishReason.Cancelled
                ? end with { Reason = FinishReason.Error, Error = error }
                : end;
            ids = _ids.Count;
            Signal();
        }

        StageTracing.End(Span, _end!.Value);
        table.OnEnded(this, ids);
        shard?.Leave(this);
    }

    /// <summary>
    /// The next message that <paramref name="stream"/> has to send for this session, or null when there is none (or
    /// another stream has taken over); after null the session queues itself anew. The message is valid until the next
    /// call.
    /// </summary>
    /// <param name="stream">The asking stream.</param>
    /// <param name="answered">Whether the message is the answer to Open.</param>
    public WorkerMessage? TakeNext(ControlStream stream, out bool answered)
    {
        answered = false;
        lock (_gate)
        {
            if (!ReferenceEquals(_owner, stream))
            {
                return null;
            }

            if (_answer is not null && !_answerSent)
            {
                _answerSent = answered = true;
                return new WorkerMessage { OpenAck = _answer };
            }

            if (!_fenced && _emitsTokens && _cursor < _ids.Count)
            {
                TakeTokens(_tokens, _cursor);
                _cursor = _ids.Count;
                return new WorkerMessage { Tokens = _tokens };
            }

            if (_loss is { } loss)
            {
                (_loss, _toldLoss) = (null, loss);
                return new WorkerMessage
                {
                    StageLost = new StageLost
                    {
                        Session = _reference,
                        Worker = loss.WorkerId,
                        Reason = loss.IsUnknownThere ? StageLost.Types.Reason.Unknown : StageLost.Types.Reason.LinkDown,
                    },
                };
            }

            if (_end is { } end && !_endSent && (!_fenced || _answerSent))
            {
                _endSent = true;
                return new WorkerMessage { Finished = WorkerMapping.ToWire(end, _reference) };
            }

            _queued = false;
            return null;
        }
    }

    private void TakeTokens(Tokens tokens, int from)
    {
        tokens.Session = _reference;
        tokens.FirstIndex = from;
        tokens.Ids.Clear();
        tokens.LogProbs.Clear();
        for (var i = from; i < _ids.Count; i++)
        {
            tokens.Ids.Add(_ids[i]);
        }

        if (withLogProbs && from >= _logProbsFrom)
        {
            foreach (var entry in _logProbs.Skip(from - _logProbsFrom))
            {
                tokens.LogProbs.Add(WorkerMapping.ToWire(entry.LogProb, entry.Top));
            }
        }
    }

    private void Own(ControlStream stream)
    {
        if (!ReferenceEquals(_owner, stream) && !stream.IsComplete)
        {
            _owner = stream;
            _tokens = new Tokens(); // the old stream's writer may still be sending the other one
            _queued = false; // it may still stand in the old stream's queue, which will find that it is not the owner
        }
    }

    private void Signal()
    {
        if (!_queued && _owner is not null)
        {
            _queued = true;
            _owner.Enqueue(this);
        }
    }

    private readonly record struct LogProbs(float LogProb, ImmutableArray<Runtime.Execution.TokenLogProb> Top);
}
