using System.Threading.Channels;
using Parallax.Contracts.Identifiers;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using FinishReason = Parallax.Runtime.Execution.FinishReason;

namespace Parallax.Router.Sessions;

/// <summary>
/// One session on the workers of a path: <see cref="SessionCore"/> with a lock around it, the tokens that have arrived
/// and wait for their reader, and the queues of the connections that tell each stage what the core wants said. One
/// reader.
/// </summary>
internal sealed partial class RemoteSession : IDisposable
{
    /// <summary>More tokens than the run-ahead bound lets a worker send; beyond it the worker breaks the protocol.</summary>
    private const int BufferedTokens = 256;

    private readonly Lock _gate = new(); // guards _core, _outlets and the watch's fields
    private readonly SessionCore _core;
    private readonly WorkerPath _path;
    private readonly Outlet[] _outlets; // one per stage
    private readonly TimeProvider _clock;
    private readonly IDisposable? _reservation;
    private readonly Channel<SessionToken> _tokens = Channel.CreateBounded<SessionToken>(
        new BoundedChannelOptions(BufferedTokens) { SingleReader = true, SingleWriter = true });

    private readonly TaskCompletionSource _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SessionResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SessionWatch _watch = new();

    /// <param name="path">The workers.</param>
    /// <param name="plan">What to generate.</param>
    /// <param name="id">The session's id.</param>
    /// <param name="epoch">The epoch to open it at.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="reservation">Its places on the path, disposed when it has ended, however it ends; null where none are kept.</param>
    public RemoteSession(
        WorkerPath path, SessionPlan plan, SessionId id, Epoch epoch, TimeProvider clock, IDisposable? reservation = null)
    {
        _reservation = reservation;
        _path = path;
        _clock = clock;
        Plan = plan;
        _core = new SessionCore(id, epoch, plan.Prompt.Length, path.Stages.Length);
        _outlets = new Outlet[path.Stages.Length];
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
                return _core.CachedPrefix;
            }
        }
    }

    /// <summary>The client has the first <paramref name="tokens"/> tokens of the answer.</summary>
    public void Consumed(int tokens)
    {
        lock (_gate)
        {
            _core.OnConsumed(tokens);
            _watch.OnProgress(_clock.GetTimestamp());
            Signal(0);
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
            _reservation?.Dispose();
            _tokens.Writer.TryComplete();
            _accepted.TrySetResult();
        }
    }

    /// <summary>After a change that may concern all stages.</summary>
    private void Settle()
    {
        for (var stage = 0; stage < _outlets.Length; stage++)
        {
            Signal(stage);
        }

        ForgetSettled();
    }

    private void ForgetSettled()
    {
        for (var stage = 0; stage < _outlets.Length; stage++)
        {
            if (!_outlets[stage].IsForgotten && _core.IsSettled(stage))
            {
                _outlets[stage].IsForgotten = true;
                _path.Stages[stage].Link.Forget(this);
            }
        }
    }

    private void Signal(int stage)
    {
        ref var outlet = ref _outlets[stage];
        if (!outlet.IsQueued && outlet.Writer is { } writer)
        {
            outlet.IsQueued = true;
            writer.TryWrite(new StageSession(this, stage));
        }
    }

    /// <summary>The way to one stage.</summary>
    private struct Outlet
    {
        public ChannelWriter<StageSession>? Writer; // of the present connection's queue
        public bool IsQueued;                       // stands in it
        public bool IsForgotten;                    // the link no longer holds the session
    }
}
