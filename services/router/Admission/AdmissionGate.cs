using Parallax.Router.Api;

namespace Parallax.Router.Admission;

/// <summary>
/// Lets requests through as <see cref="AdmissionPolicy"/> decides, first come, first served. Thread-safe.
/// </summary>
internal sealed class AdmissionGate(int maxInFlight, int maxQueued, TimeSpan queueTime, TimeProvider clock)
{
    private readonly Lock _gate = new(); // guards everything below
    private readonly LinkedList<Waiter> _waiters = new();
    private readonly ThroughputMeter _throughput = new();
    private int _inFlight;
    private int _queuedSessions;
    private TaskCompletionSource? _idle;

    /// <summary>What runs and waits now.</summary>
    public AdmissionLoad Load
    {
        get
        {
            lock (_gate)
            {
                return CurrentLoad();
            }
        }
    }

    /// <summary>
    /// Waits for the request's turn.
    /// </summary>
    /// <returns>To be disposed when the request's sessions have ended.</returns>
    /// <exception cref="ApiException">The queue is full, or the wait too long (429), or n too large (400).</exception>
    public async Task<Ticket> EnterAsync(int sessions, CancellationToken cancellationToken)
    {
        if (sessions > maxInFlight)
        {
            throw ApiException.Invalid("n", $"'n' is {sessions}; this server generates at most {maxInFlight} choices at once.", "invalid_value");
        }

        Waiter waiter;
        lock (_gate)
        {
            switch (AdmissionPolicy.Decide(CurrentLoad(), sessions, maxInFlight, maxQueued))
            {
                case AdmissionDecision.Admit:
                    _inFlight += sessions;
                    return new Ticket(this, sessions);
                case AdmissionDecision.Refuse:
                    throw Busy($"{_waiters.Count} requests are waiting already; the queue is full.", sessions);
                default:
                    waiter = new Waiter(sessions);
                    waiter.Node = _waiters.AddLast(waiter);
                    _queuedSessions += sessions;
                    break;
            }
        }

        try
        {
            await waiter.Turn.Task.WaitAsync(queueTime, clock, cancellationToken);
            return new Ticket(this, sessions);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            lock (_gate)
            {
                if (waiter.Node is null)
                {
                    // Its turn came at the same moment.
                    Release(sessions);
                }
                else
                {
                    Remove(waiter);
                    Pump(); // it may have been what the others waited behind
                }

                if (e is TimeoutException)
                {
                    throw Busy($"The request waited for {queueTime.TotalSeconds:0.#} s without getting its turn.", sessions);
                }
            }

            throw;
        }
    }

    /// <summary>Completes when nothing runs or waits.</summary>
    public Task WhenIdleAsync()
    {
        lock (_gate)
        {
            return _inFlight == 0 && _waiters.Count == 0
                ? Task.CompletedTask
                : (_idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private AdmissionLoad CurrentLoad() => new(_inFlight, _waiters.Count, _queuedSessions);

    private ApiException Busy(string message, int sessions) => ApiException.Busy(
        message,
        AdmissionPolicy.RetryAfter(CurrentLoad(), sessions, maxInFlight, _throughput.Rate(clock.GetTimestamp(), clock.TimestampFrequency)));

    private void Exit(int sessions)
    {
        lock (_gate)
        {
            var now = clock.GetTimestamp();
            for (var i = 0; i < sessions; i++)
            {
                _throughput.OnEnded(now);
            }

            Release(sessions);
        }
    }

    private void Release(int sessions)
    {
        _inFlight -= sessions;
        Pump();
    }

    private void Pump()
    {
        while (_waiters.First is { } first && _inFlight + first.Value.Sessions <= maxInFlight)
        {
            var waiter = first.Value;
            Remove(waiter);
            _inFlight += waiter.Sessions;
            waiter.Turn.TrySetResult();
        }

        if (_inFlight == 0 && _waiters.Count == 0)
        {
            _idle?.TrySetResult();
            _idle = null;
        }
    }

    private void Remove(Waiter waiter)
    {
        _waiters.Remove(waiter.Node!);
        _queuedSessions -= waiter.Sessions;
        waiter.Node = null;
    }

    /// <summary>A request's place among those that run.</summary>
    public sealed class Ticket : IDisposable
    {
        private readonly int _sessions;
        private AdmissionGate? _owner;

        internal Ticket(AdmissionGate owner, int sessions)
        {
            _owner = owner;
            _sessions = sessions;
        }

        public void Dispose() => Interlocked.Exchange(ref _owner, null)?.Exit(_sessions);
    }

    private sealed class Waiter(int sessions)
    {
        public int Sessions { get; } = sessions;

        public TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Null once it has its turn or has left.</summary>
        public LinkedListNode<Waiter>? Node { get; set; }
    }
}
