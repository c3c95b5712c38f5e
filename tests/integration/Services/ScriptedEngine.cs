using System.Collections.Concurrent;
using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.IntegrationTests.Services;

/// <summary>
/// An engine that says what a test tells it to: each session's answer is a list of ids, given out as the run-ahead
/// bound allows, or by hand.
/// </summary>
internal sealed class ScriptedEngine : ISessionEngine
{
    public const int RunAhead = 32;

    private readonly Lock _gate = new();
    private readonly Dictionary<SessionId, Session> _sessions = [];
    private readonly ConcurrentDictionary<SessionId, TaskCompletionSource> _cancelled = new();
    private long _reads;

    public EngineInfo Info { get; init; } = new(
        new LayerRange(0, 2), new NumericClass(1, "0123456789abcdef", ResidualPrecision.BF16, "scripted"), ContextLimit: 4096, MaxSessions: 64, VocabularySize: 258);

    /// <summary>The answer to a request; it ends with Stop after a stop id, else with Length.</summary>
    public Func<OpenRequest, IReadOnlyList<int>> Answer { get; set; } = static _ => [];

    /// <summary>Refuses a request, or null.</summary>
    public Func<OpenRequest, OpenResult?> Refuse { get; set; } = static _ => null;

    /// <summary>Fails a session with this message once its answer is out.</summary>
    public string? FailWith { get; set; }

    /// <summary>Tokens come only by <see cref="EmitAll"/>, until <see cref="Release"/>.</summary>
    public bool Manual { get; set; }

    /// <summary>All that was opened, in order.</summary>
    public ConcurrentQueue<OpenRequest> Opened { get; } = new();

    /// <summary>Opened, and not ended.</summary>
    public int ActiveCount
    {
        get
        {
            lock (_gate)
            {
                return _sessions.Values.Count(static s => !s.Ended);
            }
        }
    }

    /// <summary>Most tokens that any session was ahead of its acknowledgement.</summary>
    public int GreatestRunAhead { get; private set; }

    /// <summary>Lease renewals so far.</summary>
    public int Renewals { get; private set; }

    public Task<OpenResult> OpenAsync(OpenRequest request, ISessionSink sink, CancellationToken cancellationToken)
    {
        if (Refuse(request) is { } refusal)
        {
            return Task.FromResult(refusal);
        }

        lock (_gate)
        {
            if (request.IsFence && _sessions.GetValueOrDefault(request.Session) is not { Ended: false })
            {
                return Task.FromResult(new OpenResult(0, OpenRefusal.NotHeld, ""));
            }

            _sessions[request.Session] = new Session(request, sink, [.. Answer(request)]);
        }

        Opened.Enqueue(request);
        return Task.FromResult(new OpenResult(Math.Min(16, request.PromptTokenIds.Length / 16 * 16), null, ""));
    }

    public void Start(SessionId session, Epoch epoch, int keep, long nextIncarnation = 0, ImmutableArray<int> answer = default)
    {
        lock (_gate)
        {
            if (Find(session, epoch) is { } found)
            {
                Assert.False(found.Started);
                found.Started = true;
                found.Keep = keep;
                found.Given = found.Known = found.Request.AnswerTokenIds.Length + (answer.IsDefault ? 0 : answer.Length);
                Advance(found);
            }
        }
    }

    public void Acknowledge(SessionId session, Epoch epoch, int known)
    {
        lock (_gate)
        {
            if (Find(session, epoch) is { } found)
            {
                found.Known = Math.Max(found.Known, known - found.Request.PromptTokenIds.Length);
                Advance(found);
            }
        }
    }

    public void Cancel(SessionId session, Epoch epoch)
    {
        lock (_gate)
        {
            if (Find(session, epoch) is { Ended: false } found)
            {
                End(found, FinishReason.Cancelled, "");
                CancelledOf(session).TrySetResult();
            }
        }
    }

    public void RenewLease(SessionId session) => Renewals++;

    /// <summary>How often its counters were read; each time it says that it has done a step more.</summary>
    public long StatsReads => Volatile.Read(ref _reads);

    public EngineStats ReadStats() => new() { Steps = Interlocked.Increment(ref _reads) };

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Completes when the session has been cancelled.</summary>
    public Task WhenCancelledAsync(SessionId session) => CancelledOf(session).Task;

    /// <summary>Lets every session (started or about to be) give out so many more tokens, as far as it may run ahead.</summary>
    public void EmitAll(int count)
    {
        lock (_gate)
        {
            foreach (var session in _sessions.Values.Where(static s => !s.Ended).ToList())
            {
                session.Credit += count;
                Advance(session);
            }
        }
    }

    /// <summary>Tokens come by themselves from now on.</summary>
    public void Release()
    {
        lock (_gate)
        {
            Manual = false;
            foreach (var session in _sessions.Values.Where(static s => !s.Ended).ToList())
            {
                Advance(session);
            }
        }
    }

    /// <summary>Ends every session like its deadline does.</summary>
    public void ExpireAll()
    {
        lock (_gate)
        {
            foreach (var session in _sessions.Values.Where(static s => !s.Ended).ToList())
            {
                End(session, FinishReason.Deadline, "");
            }
        }
    }

    private TaskCompletionSource CancelledOf(SessionId session) =>
        _cancelled.GetOrAdd(session, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private Session? Find(SessionId id, Epoch epoch) =>
        _sessions.TryGetValue(id, out var session) && session.Request.Epoch == epoch ? session : null;

    private void Advance(Session session)
    {
        if (session.Started && !session.Ended)
        {
            Emit(session, Math.Min(Manual ? session.Credit : int.MaxValue, session.Known + RunAhead) - session.Given);
        }
    }

    private void Emit(Session session, int count)
    {
        for (; count > 0 && session.Given < session.Answer.Length; count--)
        {
            var id = session.Answer[session.Given];
            var logProbs = session.Request.Sampling.TopLogProbs is { } top
                ? Enumerable.Range(0, top).Select(i => new TokenLogProb(i == 0 ? id : i, -i)).ToImmutableArray()
                : [];
            session.Sink.OnToken(new EmittedToken(session.Request.Session, session.Request.Epoch, session.Given++, id, -0.25f, logProbs));
            GreatestRunAhead = Math.Max(GreatestRunAhead, session.Given - session.Known);
            if (session.Request.Sampling.StopTokenIds.Contains(id))
            {
                End(session, FinishReason.Stop, "");
                return;
            }

            if (session.Given == session.Request.Sampling.MaxTokens)
            {
                End(session, FinishReason.Length, "");
                return;
            }
        }

        if (session.Given == session.Answer.Length)
        {
            End(session, FailWith is null ? FinishReason.Length : FinishReason.Error, FailWith ?? "");
        }
    }

    private static void End(Session session, FinishReason reason, string error)
    {
        session.Ended = true;
        session.Sink.OnFinished(new SessionEnd(
            session.Request.Session, session.Request.Epoch, reason, session.Request.PromptTokenIds.Length, session.Keep, session.Given, error));
    }

    private sealed class Session(OpenRequest request, ISessionSink sink, ImmutableArray<int> answer)
    {
        public OpenRequest Request { get; } = request;

        public ISessionSink Sink { get; } = sink;

        public ImmutableArray<int> Answer { get; } = answer;

        public bool Started { get; set; }

        public bool Ended { get; set; }

        public int Keep { get; set; }

        public int Known { get; set; }

        public int Given { get; set; }

        public int Credit { get; set; }
    }
}
