using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Subjects;

namespace Parallax.Swarm.Telemetry;

/// <summary>
/// The swarm's news over NATS. Connects in the background from its creation on, to whichever of the servers answers, and
/// again whenever the connection is lost; the server's absence is a state and never an error. What is published while it is
/// absent is kept, the latest of each kind and worker, and said when it is back. Workers' records are repeated every period
/// as telemetry. Thread-safe: one loop owns the connection and all sending.
/// </summary>
/// <remarks>
/// <see cref="Incoming"/> is not completed by disposal; whoever reads stops by being cancelled. It ends with an exception if
/// a bug has stopped the wire.
/// </remarks>
public sealed partial class NatsTelemetry : ISwarmNews, IAsyncDisposable
{
    /// <summary>Workers of one process that may publish at most.</summary>
    public const int MaxWorkers = 256;

    // A connection that has held so long ends the series of failures.
    private static readonly TimeSpan Holds = TimeSpan.FromSeconds(5);

    private readonly NatsOptions _options;
    private readonly INewsWire _wire;
    private readonly SwarmSubjects _subjects;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Random _random; // used by the loop alone
    private readonly ReconnectPace _pace;
    private readonly NewsInbox _inbox;
    private readonly TelemetryInstruments _instruments;
    private readonly NewsOutbox _outbox = new(MaxWorkers);
    private readonly Lock _lock = new(); // guards _outbox
    private readonly Channel<bool> _said = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _running;
    private volatile NewsState _state;
    private volatile TaskCompletionSource _changed = NewSignal();
    private volatile bool _isDraining;
    private long _sent;
    private long _connections;
    private int _disposed;

    /// <summary>Connects in the background.</summary>
    /// <param name="options">Servers, credentials, periods; checked here.</param>
    /// <param name="swarm">The swarm's name, as <see cref="SwarmSubjects"/> takes it.</param>
    /// <param name="name">What the server's operators see this connection as, e.g. the worker's abbreviated id.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Told of the server's coming and going, and of floods, once an episode.</param>
    /// <param name="seed">Of the jitter of periods and reconnects: another one in each process.</param>
    /// <exception cref="Parallax.Hosting.OptionsException">The options cannot be used; the message names all that is wrong.</exception>
    public NatsTelemetry(NatsOptions options, string swarm, string name, TimeProvider time, ILogger<NatsTelemetry> logger, int seed)
        : this(options, new SwarmSubjects(swarm), time, logger, seed, (subjects, complain) => new NatsWire(options, subjects, name, time, complain))
    {
    }

    internal NatsTelemetry(
        NatsOptions options,
        SwarmSubjects subjects,
        TimeProvider time,
        ILogger<NatsTelemetry> logger,
        int seed,
        Func<SwarmSubjects, Action<string>, INewsWire> createWire)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);
        options.ThrowIfInvalid();
        (_options, _subjects, _time, _logger) = (options, subjects, time, logger);
        _random = new Random(seed);
        _pace = new ReconnectPace(options.FirstRetry, options.LongestRetry, options.RefusedRetry);
        _inbox = new NewsInbox(subjects, options.QueueCapacity, time, LogDropping, LogRefusing);
        _blocks = new BlockExchange(subjects);
        _wire = createWire(subjects, LogServerError);
        _state = NewsState.Absent(time.GetUtcNow(), "not connected yet");
        _instruments = new TelemetryInstruments(this);
        _running = Task.Run(RunAsync);
    }

    /// <inheritdoc/>
    public string Name => "nats";

    /// <inheritdoc/>
    public bool IsConnected => _state.IsConnected;

    /// <inheritdoc/>
    public Task Changed => _changed.Task;

    /// <summary>How it is, with the reason of absence.</summary>
    public NewsState State => _state;

    /// <inheritdoc/>
    public ChannelReader<SwarmNews> Incoming => _inbox.Incoming;

    /// <summary>What it has done so far.</summary>
    public NewsCounts Counts => new(
        Volatile.Read(ref _sent),
        _inbox.Arrivals,
        _inbox.Dropped,
        Enum.GetValues<NewsRefusal>().Sum(_inbox.Refused),
        Volatile.Read(ref _connections));

    /// <summary>Messages that were refused for a reason.</summary>
    public long Refused(NewsRefusal reason) => _inbox.Refused(reason);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// The worker's id is none, or the envelope is empty or longer than <see cref="NewsLimits.MaxEnvelopeBytes"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException"><see cref="MaxWorkers"/> other workers have published.</exception>
    public void Publish(NewsKind kind, string worker, ReadOnlyMemory<byte> envelope)
    {
        NewsLimits.Check(kind, worker, envelope);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        lock (_lock)
        {
            _outbox.Put(kind, worker, envelope.ToArray());
        }

        _said.Writer.TryWrite(true);
    }

    /// <summary>Takes no more, sends what waits if the server is there, for <see cref="NatsOptions.DrainTime"/> at most, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _isDraining = true;
        _said.Writer.TryWrite(true);
        if (IsConnected)
        {
            await Task.WhenAny(_running, Task.Delay(_options.DrainTime, _time));
        }

        await _closing.CancelAsync();
        await _running;
        ChangeState(NewsState.Absent(_time.GetUtcNow(), "closed"));
        _instruments.Dispose();
        _closing.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        try
        {
            await ConnectLoopAsync(_closing.Token);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // Disposal waits for this.
        }
        catch (Exception bug)
        {
            // Whatever servers do is a NewsWireException. Whoever reads Incoming meets the bug there.
            LogStopped(bug);
            ChangeState(NewsState.Absent(_time.GetUtcNow(), "stopped by an error in this program; see its log"));
            _inbox.Fail(bug);
        }
    }

    private async Task ConnectLoopAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        for (var attempt = 0; !_isDraining; attempt++)
        {
            var server = _options.Servers[attempt % _options.Servers.Count];
            var refused = false;
            try
            {
                await using var connection = await _wire.ConnectAsync(server, _inbox, cancellationToken);
                var since = _time.GetTimestamp();
                _blocks.BeginConnection();
                Connected(server);
                await UseAsync(connection, server, cancellationToken);
                failures = _time.GetElapsedTime(since) >= Holds ? 0 : failures + 1;
            }
            catch (NewsWireException problem)
            {
                Failed(problem.Message);
                refused = problem.IsRefusal;
                failures++;
            }

            if (!_isDraining)
            {
                await Task.Delay(_pace.Next(failures, refused, _random.NextDouble()), _time, cancellationToken);
            }
        }
    }

    private async Task UseAsync(INewsConnection connection, Uri server, CancellationToken cancellationToken)
    {
        try
        {
            if (await SendLoopAsync(connection, cancellationToken) is { } problem)
            {
                Lost(server, problem);
            }
        }
        catch (NewsWireException problem)
        {
            Lost(server, problem.Message);
        }
    }

    // Sends what there is, when there is something, and again each period. Ends with the reason when the connection is lost,
    // with null when all is said that there was to say before closing.
    private async Task<string?> SendLoopAsync(INewsConnection connection, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _outbox.SayEverything();
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var said = _said.Reader.WaitToReadAsync(over.Token).AsTask();
        var period = PeriodAsync(over.Token);
        try
        {
            while (!connection.Lost.IsCompleted)
            {
                var isLast = _isDraining; // seen before taking, so that nothing published before it is left behind
                while (TryTake(out var news))
                {
                    await connection.PublishAsync(SubjectOf(news), news.Envelope, cancellationToken);
                    Interlocked.Increment(ref _sent);
                }

                await SendBlocksAsync(connection, cancellationToken);
                if (isLast)
                {
                    await connection.FlushAsync(cancellationToken);
                    return null;
                }

                await Task.WhenAny(said, period, connection.Lost);
                cancellationToken.ThrowIfCancellationRequested();
                if (said.IsCompleted)
                {
                    _said.Reader.TryRead(out _);
                    said = _said.Reader.WaitToReadAsync(over.Token).AsTask();
                }

                if (period.IsCompleted)
                {
                    lock (_lock)
                    {
                        _outbox.RepeatRecords();
                    }

                    period = PeriodAsync(over.Token);
                }
            }

            return await connection.Lost;
        }
        finally
        {
            await over.CancelAsync();
        }
    }

    private Task PeriodAsync(CancellationToken cancellationToken) =>
        Task.Delay(_options.Period * (0.9 + (0.2 * _random.NextDouble())), _time, cancellationToken);

    private bool TryTake(out OutgoingNews news)
    {
        lock (_lock)
        {
            return _outbox.TryTake(out news);
        }
    }

    private string SubjectOf(OutgoingNews news) => news switch
    {
        { Kind: NewsKind.Plan } => _subjects.Plan,
        { Kind: NewsKind.Revocations } => _subjects.Revocations,
        { IsRepeated: true } => _subjects.Telemetry(news.Worker),
        _ => _subjects.Record(news.Worker),
    };

    private void Connected(Uri server)
    {
        Interlocked.Increment(ref _connections);
        ChangeState(NewsState.Connected(_time.GetUtcNow(), server.ToString()));
        LogConnected(server);
    }

    private void Lost(Uri server, string problem)
    {
        ChangeState(NewsState.Absent(_time.GetUtcNow(), problem));
        LogLost(server, problem);
    }

    // Told again only when the problem is another one.
    private void Failed(string problem)
    {
        if (_state.Problem != problem)
        {
            ChangeState(NewsState.Absent(_state.Since, problem));
            LogAbsent(problem);
        }
    }

    private void ChangeState(NewsState state)
    {
        var flips = state.IsConnected != _state.IsConnected;
        _state = state;
        if (flips)
        {
            // Whoever takes the new signal finds the new state already.
            var changed = _changed;
            _changed = NewSignal();
            changed.TrySetResult();
        }
    }
}
