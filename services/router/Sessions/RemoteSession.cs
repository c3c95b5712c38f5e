using System.Threading.Channels;
using Parallax.Contracts.Identifiers;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using FinishReason = Parallax.Runtime.Execution.FinishReason;

namespace Parallax.Router.Sessions;

/// <summary>
/// One session on the workers of a path: <see cref="SessionCore"/> with a lock around it, the tokens that have arrived
/// and wait for their reader, and the queues of the connections that tell each worker what the core wants said. One
/// reader.
/// </summary>
internal sealed partial class RemoteSession : IDisposable
{
    /// <summary>More tokens than the run-ahead bound lets a worker send; beyond it the worker breaks the protocol.</summary>
    private const int BufferedTokens = 256;

    private readonly Lock _gate = new(); // guards _core, _path, _seats, _ids, _reservation, the watch's fields and those of failover
    private readonly SessionCore _core;
    private readonly TimeProvider _clock;
    private readonly IPathFinder? _finder;
    private readonly FailoverOptions _failover;
    private readonly ISessionObserver? _observer;
    private readonly List<Seat> _seats = []; // as the core numbers them
    private readonly List<int> _ids;         // of the answer
    private readonly Channel<SessionToken> _tokens = Channel.CreateBounded<SessionToken>(
        new BoundedChannelOptions(BufferedTokens) { SingleReader = true, SingleWriter = true });

    private readonly TaskCompletionSource _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SessionResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SessionWatch _watch = new();
    private WorkerPath _path;
    private ISessionPlaces? _reservation;

    /// <param name="path">The workers.</param>
    /// <param name="plan">What to generate.</param>
    /// <param name="id">The session's id.</param>
    /// <param name="epoch">The epoch to open it at.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="reservation">Its places on the path, disposed when it has ended, however it ends; null where none are kept.</param>
    /// <param name="finder">Finds other paths; null: a lost stage ends the session.</param>
    /// <param name="failover">When; null for the defaults.</param>
    /// <param name="observer">Is told what becomes of the path; null: nobody is.</param>
    public RemoteSession(
        WorkerPath path,
        SessionPlan plan,
        SessionId id,
        Epoch epoch,
        TimeProvider clock,
        ISessionPlaces? reservation = null,
        IPathFinder? finder = null,
        FailoverOptions? failover = null,
        ISessionObserver? observer = null)
    {
        _observer = observer;
        _reservation = reservation;
        _path = path;
        _clock = clock;
        _failover = failover ?? new FailoverOptions();
        _finder = _failover.IsOn ? finder : null;
        _ids = [.. plan.Answer];
        Plan = plan;
        _core = new SessionCore(id, epoch, plan.Prompt.Length, path.Stages.Length, plan.Answer.Length);
        _seats.AddRange(path.Stages.Select(static stage => new Seat(stage.Link)));
        _lastSign = clock.GetTimestamp();
    }

    public SessionPlan Plan { get; }

    public SessionId Id => _core.Session;

    /// <summary>Completes when all stages have accepted the session or it has ended (<see cref="Result"/>).</summary>
    public Task Accepted => _accepted.Task;

    /// <summary>How the session ended; never faulted. Tokens that came before may still wait in <see cref="Tokens"/>.</summary>
    public Task<SessionResult> Result => _result.Task;

    /// <summary>The answer's tokens in order; completed when the session ends.</summary>
    public ChannelReader<SessionToken> Tokens => _tokens.Reader;

    /// <summary>Leading prompt tokens that came from the workers' caches.</summary>
    public int CachedTokens
    {
        get
        {
            lock (_gate)
            {
                return Math.Min(_core.CachedPrefix, Plan.Prompt.Length);
            }
        }
    }

    /// <summary>Takes the session up at the workers of its first path.</summary>
    public void Begin()
    {
        _observer?.OnOpened(this, _path, _core.Epoch);
        for (var seat = 0; seat < _path.Stages.Length; seat++)
        {
            _path.Stages[seat].Link.Add(this, seat);
        }
    }

    /// <summary>The client has the first <paramref name="tokens"/> tokens of the answer.</summary>
    public void Consumed(int tokens)
    {
        lock (_gate)
        {
            _core.OnConsumed(tokens);
            _watch.OnProgress(_clock.GetTimestamp());
            Signal(_core.Head);
        }
    }

    /// <summary>Cancels the session if it has not ended. The workers are told at once, or after a reconnect.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _core.Cancel();
            Settle();
        }

        Complete(new SessionResult.Finished(FinishReason.Cancelled, Plan.Prompt.Length, 0, 0, ""));
    }

    /// <summary>Gives the session up: the workers are told to cancel, the reader that it is lost.</summary>
    public void Fail(string message)
    {
        Complete(new SessionResult.Lost(message));
        Dispose();
    }

    private void Complete(SessionResult result)
    {
        if (_result.TrySetResult(result))
        {
            ISessionPlaces? reservation;
            lock (_gate)
            {
                (reservation, _reservation) = (_reservation, null);
            }

            reservation?.Dispose();
            SetWaiting(null);
            _tokens.Writer.TryComplete();
            _accepted.TrySetResult();
        }
    }

    /// <summary>After a change that may concern all workers.</summary>
    private void Settle()
    {
        for (var seat = 0; seat < _seats.Count; seat++)
        {
            Signal(seat);
        }

        ForgetSettled();
    }

    private void ForgetSettled()
    {
        for (var seat = 0; seat < _seats.Count; seat++)
        {
            if (!_seats[seat].IsForgotten && _core.IsSettled(seat))
            {
                _seats[seat].IsForgotten = true;
                _seats[seat].Link.Forget(this);
            }
        }
    }

    private void Signal(int seat)
    {
        var outlet = _seats[seat];
        if (!outlet.IsQueued && outlet.Writer is { } writer)
        {
            outlet.IsQueued = true;
            writer.TryWrite(new StageSession(this, seat));
        }
    }

    /// <summary>The way to a worker that has, or had, a part in the session.</summary>
    private sealed class Seat(WorkerLink link)
    {
        public WorkerLink Link { get; } = link;

        public ChannelWriter<StageSession>? Writer { get; set; } // of the present connection's queue

        public bool IsQueued { get; set; }    // stands in it

        public bool IsForgotten { get; set; } // the link no longer holds the session
    }
}
