using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Parallax.Transport.Links;

/// <summary>
/// When one peer is dialled: a Polly pipeline of retry (exponential, with jitter), circuit breaker and timeout, in this
/// order from outside. The first attempt of a series comes without a pause. While the circuit is open nobody dials; it
/// lets one attempt through when its break is over, or when somebody wants the link (<see cref="Request"/>).
/// </summary>
internal sealed class PeerDialer
{
    // All attempts of this span are looked at, which is longer than the attempts of a series take to open the circuit.
    private static readonly TimeSpan Sampling = TimeSpan.FromMinutes(2);

    private readonly LinkOptions _options;
    private readonly TimeProvider _time;
    private readonly Func<CancellationToken, ValueTask<DialResult>> _dial;
    private readonly Action<DialResult> _failed;
    private readonly CircuitBreakerManualControl _breaker = new();
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly ResiliencePipeline<DialResult> _pipeline;
    private TaskCompletionSource _requested = NewSignal();
    private bool _isShort; // the loop's
    private volatile bool _isPausing;
    private long _lastFailure;

    /// <param name="options">Pauses and timeouts.</param>
    /// <param name="time">Clock.</param>
    /// <param name="dial">One attempt. Its token ends it; failures are results.</param>
    /// <param name="failed">Told of each attempt that failed, before the pause that follows.</param>
    public PeerDialer(
        LinkOptions options, TimeProvider time, Func<CancellationToken, ValueTask<DialResult>> dial, Action<DialResult> failed)
    {
        (_options, _time, _dial, _failed) = (options, time, dial, failed);
        _pipeline = new ResiliencePipelineBuilder<DialResult> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<DialResult>
            {
                ShouldHandle = static outcome => ValueTask.FromResult(IsFailure(outcome.Outcome) || outcome.Outcome.Exception is BrokenCircuitException),
                // A link dials until its hub is disposed; the session layer decides long before that to go another way.
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.FirstRetry,
                MaxDelay = options.LongestRetry,
                DelayGenerator = arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is BrokenCircuitException broken ? broken.RetryAfter ?? options.BreakDuration : (TimeSpan?)null),
                OnRetry = OnRetry,
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<DialResult>
            {
                ShouldHandle = static outcome => ValueTask.FromResult(IsFailure(outcome.Outcome)),
                FailureRatio = 1,
                MinimumThroughput = options.BreakAfter,
                SamplingDuration = Sampling,
                BreakDuration = options.BreakDuration,
                ManualControl = _breaker,
                StateProvider = _state,
            })
            .AddTimeout(new TimeoutStrategyOptions
            {
                TimeoutGenerator = _ => ValueTask.FromResult(_isShort ? options.RedialTimeout : options.ConnectTimeout),
            })
            .Build();
    }

    /// <summary>Closed: attempts are made. Open: none until the break is over.</summary>
    public CircuitState Circuit => _state.CircuitState;

    /// <summary>
    /// Dials until there is a connection or the peer has connected; a new series, with a closed circuit.
    /// </summary>
    /// <param name="wasUp">The link has just been lost: the first attempt is short, so that it is soon known whether the peer is there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<DialResult> DialAsync(bool wasUp, CancellationToken cancellationToken)
    {
        _isShort = wasUp;
        while (true)
        {
            await _breaker.CloseAsync(cancellationToken);
            var requested = NewSignal();
            Volatile.Write(ref _requested, requested);
            using var series = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var dialling = _pipeline.ExecuteAsync(DialOnceAsync, series.Token).AsTask();
            await Task.WhenAny(dialling, WaitForRequestAsync(requested.Task, dialling));
            if (!dialling.IsCompleted)
            {
                await series.CancelAsync();
            }

            try
            {
                return await dialling;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Somebody wants the link: the pause is over.
            }
        }
    }

    /// <summary>Somebody wants the link: if it waits, it is dialled now, but not more often than once a first pause. Thread-safe.</summary>
    public void Request() => Volatile.Read(ref _requested).TrySetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static bool IsFailure(Outcome<DialResult> outcome) =>
        outcome.Exception is TimeoutRejectedException || (outcome.Exception is null && outcome.Result.Failure is not null);

    private ValueTask<DialResult> DialOnceAsync(CancellationToken cancellationToken)
    {
        _isPausing = false;
        return _dial(cancellationToken);
    }

    private ValueTask OnRetry(OnRetryArguments<DialResult> arguments)
    {
        Volatile.Write(ref _lastFailure, _time.GetTimestamp());
        if (arguments.Outcome.Exception is not BrokenCircuitException)
        {
            _failed(arguments.Outcome.Exception is TimeoutRejectedException late
                ? DialResult.Failed($"no answer within {late.Timeout.TotalSeconds} s")
                : arguments.Outcome.Result);
        }

        _isShort = false;
        _isPausing = true;
        return default;
    }

    /// <summary>Completes when a request has come and the dialler pauses; an attempt that is being made is let go on.</summary>
    private async Task WaitForRequestAsync(Task requested, Task dialling)
    {
        await Task.WhenAny(requested, dialling);
        while (!dialling.IsCompleted)
        {
            var since = _time.GetElapsedTime(Volatile.Read(ref _lastFailure));
            if (_isPausing && since >= _options.FirstRetry)
            {
                return;
            }

            await Task.WhenAny(dialling, Task.Delay(_options.FirstRetry, _time));
        }
    }
}
