using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Threading.Channels;
using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Transport.Liveness;
using Message = Parallax.Contracts.V1.WorkerMessage.MessageOneofCase;

namespace Parallax.Router.Sessions;

/// <summary>
/// The router's control stream to one worker: connects, reconnects, carries all sessions that have a stage on that
/// worker, renews their leases and watches those that it heads. Sessions survive a lost stream.
/// </summary>
internal sealed partial class WorkerLink : IDisposable
{
    private readonly Guid _router;
    private readonly string? _expectedId;
    private readonly WorkerLinkOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<SessionId, StageSession> _sessions = new();
    private readonly Lock _gate = new(); // guards _outbox, so that a session is registered with a connection or before it, and what follows
    private ImmutableArray<Uri> _addresses;
    private int _nextAddress; // which of them is dialled next
    private CancellationTokenSource _redial = new(); // ends the present connection or pause; never disposed: it holds nothing
    private bool _isClosed;
    private readonly Func<SocketsHttpHandler> _createHandler;
    private volatile Endpoint _endpoint; // only the loop replaces it
    private Channel<StageSession>? _outbox;
    private volatile WorkerOffer? _offer;
    private volatile bool _isDraining;
    private volatile string _problem = "not connected yet";
    private volatile string? _lastId; // of the worker that was connected last
    private readonly Lock _signs = new(); // guards the monitor
    private LivenessMonitor _monitor;
    private bool _answersPings;           // on this connection; guarded as the monitor
    private long _connections;            // how many there have been

    /// <param name="addresses">Where the worker may be dialled, best first; at least one.</param>
    /// <param name="expectedId">The id that a map gives the worker; null when there is no map.</param>
    /// <param name="router">This router's id.</param>
    /// <param name="options">Times.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="logger">Where connections and their ends are noted.</param>
    /// <param name="credentials">The router's as a member of a swarm, for mutual TLS; null for clear text.</param>
    public WorkerLink(
        ImmutableArray<Uri> addresses,
        string? expectedId,
        Guid router,
        WorkerLinkOptions options,
        TimeProvider clock,
        ILogger<WorkerLink> logger,
        SwarmCredentials? credentials = null)
    {
        _addresses = addresses;
        _expectedId = expectedId;
        _router = router;
        _options = options;
        _clock = clock;
        _logger = logger;
        _createHandler = () => CreateHandler(expectedId, options, credentials);
        _endpoint = new Endpoint(addresses[0], _createHandler);
        _monitor = new LivenessMonitor(options.PingEvery, Now);
    }

    /// <summary>The worker's id: what it calls itself, or called itself when it was connected last.</summary>
    public string WorkerId => _offer?.WorkerId ?? _lastId ?? _expectedId ?? Address.Authority;

    /// <summary>Where the worker listens.</summary>
    public Uri Address => _endpoint.Address;

    /// <summary>Where it may be dialled, best first.</summary>
    public ImmutableArray<Uri> Addresses
    {
        get
        {
            lock (_gate)
            {
                return _addresses;
            }
        }
    }

    /// <summary>What the worker serves; null while there is no connection.</summary>
    public WorkerOffer? Offer => _offer;

    /// <summary>Whether the worker takes no new sessions because it stops.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>Whether the worker takes new sessions.</summary>
    public bool IsServing => _offer is { Shards.Length: > 0 } && !_isDraining;

    /// <summary>Why the worker is not serving, for people.</summary>
    public string Problem => _isDraining ? "the worker is stopping" : _problem;

    /// <summary>This router's sessions with a stage on this worker.</summary>
    public int SessionCount => _sessions.Count;

    /// <summary>
    /// Takes up one stage of a session: what it has to say goes out now, or with the next connection.
    /// </summary>
    public void Add(RemoteSession session, int stage)
    {
        bool isClosed;
        RemoteSession? before;
        lock (_gate)
        {
            isClosed = _isClosed;
            before = _sessions.TryGetValue(session.Id, out var held) && !ReferenceEquals(held.Session, session) ? held.Session : null;
            _sessions[session.Id] = new StageSession(session, stage);
            if (_outbox is { } outbox && _offer is { } offer)
            {
                session.OnConnected(stage, outbox.Writer, offer.Incarnation);
            }
        }

        before?.SupersedeBy(session);
        if (isClosed)
        {
            GiveUpSessions("the worker has left");
        }

        if (session.IsSettled(stage))
        {
            Forget(session); // it ended by another stage's doing before it came here
        }
    }

    /// <summary>There is nothing more to say or to hear about the session's stage here.</summary>
    public void Forget(RemoteSession session)
    {
        if (_sessions.TryGetValue(session.Id, out var held) && ReferenceEquals(held.Session, session))
        {
            _sessions.TryRemove(KeyValuePair.Create(session.Id, held)); // a later session of the same id stays
        }
    }

    /// <summary>
    /// Dials the worker anew, at these addresses, without waiting for the present connection or pause to end. Sessions stay.
    /// </summary>
    public void Redial(ImmutableArray<Uri> addresses)
    {
        CancellationTokenSource redial;
        lock (_gate)
        {
            (redial, _redial) = (_redial, new CancellationTokenSource());
            _addresses = addresses;
            _nextAddress = 0;
        }

        redial.Cancel();
    }

    /// <summary>Keeps the control stream up until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        var awaySince = _clock.GetTimestamp();
        var connectedAt = awaySince;
        while (!cancellationToken.IsCancellationRequested)
        {
            var redialled = ChooseEndpoint();
            var retryAtOnce = false;
            connectedAt = _clock.GetTimestamp();
            using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, redialled);
            try
            {
                await ServeAsync(attempt.Token);
                _problem = "the worker ended the control stream";
                LogLost(Address, _problem);
                (failures, awaySince) = (1, _clock.GetTimestamp());
                retryAtOnce = true;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsTransient(e))
            {
                var wasConnected = _offer is not null;
                _problem = redialled.IsCancellationRequested ? "it is dialled anew" : Describe(e);
                if (wasConnected)
                {
                    LogLost(Address, _problem);
                    (failures, awaySince) = (0, _clock.GetTimestamp());
                    retryAtOnce = e is not SilentWorkerException;
                }
                else if (failures == 0)
                {
                    LogUnreachable(Address, _problem);
                }

                failures++;
                if (!wasConnected)
                {
                    TryNextAddress(redialled);
                }
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            finally
            {
                Disconnect();
            }

            if (retryAtOnce && _clock.GetElapsedTime(connectedAt) >= _options.FirstPause)
            {
                // Most often it is back at once, or its port is closed, which tells as soon. A dial that hangs tells nothing.
                _ = NoteIfAwayAsync(Volatile.Read(ref _connections), cancellationToken);
                continue;
            }

            NoteUnreachable();
            if (_clock.GetElapsedTime(awaySince) >= _options.GiveUpAfter)
            {
                GiveUpSessions(_problem);
            }

            var scatter = RandomNumberGenerator.GetInt32(1024) / 1024.0;
            var pause = Backoff.Pause(failures, _options.FirstPause, _options.LongestPause, scatter);
            await Task.Delay(pause, _clock, attempt.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Closes the link for good. Sessions that are still on it are given up.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
        }

        GiveUpSessions("the worker has left");
        _endpoint.Dispose();
    }

    private static SocketsHttpHandler CreateHandler(string? expectedId, WorkerLinkOptions options, SwarmCredentials? credentials)
    {
        var handler = credentials is null ? new SocketsHttpHandler { UseProxy = false }
            : expectedId is null ? credentials.CreateHandler(roles: MemberRoles.Worker)
            : credentials.CreateWorkerHandler(expectedId);
        handler.ConnectTimeout = options.ConnectTime;
        handler.KeepAlivePingDelay = TimeSpan.FromSeconds(5);
        handler.KeepAlivePingTimeout = TimeSpan.FromSeconds(5);
        handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
        return handler;
    }

    private static bool IsTransient(Exception e) =>
        e is RpcException or HttpRequestException or IOException or OperationCanceledException or TimeoutException or WorkerLinkException;

    /// <summary>The cause in a few words, without the libraries' wrapping.</summary>
    private static string Describe(Exception e) =>
        (e is RpcException { Status: var status } ? status.DebugException?.GetBaseException().Message ?? status.Detail : e.Message).TrimEnd('.');

    /// <summary>Turns to the address that is next.</summary>
    /// <returns>Cancelled when the worker is to be dialled anew.</returns>
    private CancellationToken ChooseEndpoint()
    {
        Uri address;
        CancellationToken redialled;
        lock (_gate)
        {
            address = _addresses[_nextAddress];
            redialled = _redial.Token;
        }

        if (address != _endpoint.Address)
        {
            var before = _endpoint;
            _endpoint = new Endpoint(address, _createHandler);
            before.Dispose();
        }

        return redialled;
    }

    /// <summary>The worker was not reached: the next address is tried, unless it is to be dialled anew from the first.</summary>
    private void TryNextAddress(CancellationToken redialled)
    {
        lock (_gate)
        {
            _nextAddress = redialled.IsCancellationRequested || _redial.Token != redialled ? 0 : (_nextAddress + 1) % _addresses.Length;
        }
    }

    private async Task ServeAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await AskAsync(stop); // whether it answers at all, with a plain reason if it does not

        using var call = _endpoint.Client.Control(cancellationToken: ending.Token);
        var (high, low) = SessionRefs.Split(_router);
        await call.RequestStream.WriteAsync(new RouterMessage { Hello = new Hello { RouterHigh = high, RouterLow = low } }, ending.Token);
        if (!await call.ResponseStream.MoveNext(ending.Token).WaitAsync(_options.ConnectTime, _clock, ending.Token)
            || call.ResponseStream.Current.MessageCase != Message.Welcome)
        {
            throw new WorkerLinkException("the worker did not answer with Welcome");
        }

        // What it serves is asked for with the stream open: from here on it announces changes.
        var info = await AskAsync(stop);
        if (call.ResponseStream.Current.Welcome.Incarnation != info.Incarnation)
        {
            throw new WorkerLinkException("the worker restarted while the router connected");
        }

        if (_expectedId is not null && info.WorkerId.Length > 0 && info.WorkerId != _expectedId)
        {
            throw new WorkerLinkException($"the worker calls itself '{info.WorkerId}'; by the map it must be '{_expectedId}'");
        }

        _ = Interlocked.Increment(ref _connections);
        lock (_signs)
        {
            (_monitor, _answersPings) = (new LivenessMonitor(_options.PingEvery, Now), false);
        }

        var offer = new WorkerOffer(
            info.WorkerId.Length > 0 ? info.WorkerId : _expectedId ?? Address.Authority,
            info.Incarnation,
            RouterMapping.ToOffers(info.Models))
        {
            Ending = RouterMapping.ToEnding(info.Ending),
        };
        var outbox = Connect(offer);
        LogConnected(Address, Describe(offer.Shards));

        Task[] loops =
        [
            ReadAsync(call.ResponseStream, offer.Incarnation, ending.Token),
            WriteAsync(call.RequestStream, outbox, ending.Token),
            WatchAsync(ending.Token),
        ];
        var first = await Task.WhenAny(loops);
        await ending.CancelAsync();
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    private async Task<WorkerInfo> AskAsync(CancellationToken stop)
    {
        using var connecting = new CancellationTokenSource(_options.ConnectTime, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, connecting.Token);
        try
        {
            return await _endpoint.Client.GetInfoAsync(new GetInfoRequest(), cancellationToken: either.Token);
        }
        catch (RpcException) when (connecting.IsCancellationRequested)
        {
            throw new WorkerLinkException($"no answer within {_options.ConnectTime.TotalSeconds:0.#} s");
        }
    }

    private Channel<StageSession> Connect(WorkerOffer offer)
    {
        // Unbounded in type only: each session stands in it at most once (null: leases are due).
        var outbox = Channel.CreateUnbounded<StageSession>(new UnboundedChannelOptions { SingleReader = true });
        lock (_gate)
        {
            _outbox = outbox;
            _isDraining = false;
            _lastId = offer.WorkerId;
            _offer = offer;
            foreach (var (session, stage) in _sessions.Values)
            {
                session.OnConnected(stage, outbox.Writer, offer.Incarnation);
            }
        }

        return outbox;
    }

    private void Disconnect()
    {
        lock (_gate)
        {
            _offer = null;
            if (_outbox is not { } outbox)
            {
                return;
            }

            _outbox = null;
            foreach (var (session, stage) in _sessions.Values)
            {
                session.OnDisconnected(stage, outbox.Writer);
            }
        }
    }

    /// <summary>Tells the sessions that the worker cannot be reached, so that they look for another one.</summary>
    private void NoteUnreachable()
    {
        foreach (var (session, seat) in _sessions.Values)
        {
            session.OnUnreachable(seat, _problem);
        }
    }

    private async Task NoteIfAwayAsync(long connections, CancellationToken cancellationToken)
    {
        await Task.Delay(_options.UnreachableAfter, _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!cancellationToken.IsCancellationRequested && _offer is null && Volatile.Read(ref _connections) == connections)
        {
            NoteUnreachable();
        }
    }

    /// <summary>The monitor's clock.</summary>
    private TimeSpan Now => _clock.GetElapsedTime(0);

    private void NoteSign(bool isPong)
    {
        lock (_signs)
        {
            _monitor.OnActivity(Now);
            if (isPong)
            {
                _monitor.OnHeartbeat(Now);
                _answersPings = true;
            }
        }
    }

    /// <summary>
    /// Asks for a sign of life. When it was asked for last matters, since a router that was itself suspended must not blame the
    /// worker.
    /// </summary>
    /// <exception cref="SilentWorkerException">There was none for too long.</exception>
    private async Task PingAsync(IClientStreamWriter<RouterMessage> stream, TimeSpan last, CancellationToken cancellationToken)
    {
        lock (_signs)
        {
            if (Now - last > 2 * _options.PingEvery)
            {
                _monitor.OnActivity(Now);
            }
            else if (_answersPings && _monitor.Evaluate(Now) == PeerLiveness.Dead)
            {
                throw new SilentWorkerException($"no sign of life for {4 * _monitor.AllowedPeriod.TotalSeconds:0.#} s");
            }
        }

        await stream.WriteAsync(new RouterMessage { Ping = new Ping { Nonce = _clock.GetTimestamp() } }, cancellationToken);
    }

    private void GiveUpSessions(string problem)
    {
        foreach (var (session, stage) in _sessions.Values)
        {
            session.OnGivenUp(stage, $"the worker at {Address} is gone: {problem}");
            Forget(session);
        }
    }

    private async Task WriteAsync(
        IClientStreamWriter<RouterMessage> stream, Channel<StageSession> outbox, CancellationToken cancellationToken)
    {
        var renewed = _clock.GetTimestamp();
        using var due = new PeriodicTimer(_options.RenewEvery, _clock);
        using var pings = new PeriodicTimer(_options.PingEvery, _clock);
        var pinged = Now;
        var tick = due.WaitForNextTickAsync(cancellationToken).AsTask();
        var beat = pings.WaitForNextTickAsync(cancellationToken).AsTask();
        var work = outbox.Reader.WaitToReadAsync(cancellationToken).AsTask();
        while (true)
        {
            await Task.WhenAny(tick, beat, work);
            if (beat.IsCompleted)
            {
                await beat;
                beat = pings.WaitForNextTickAsync(cancellationToken).AsTask();
                await PingAsync(stream, pinged, cancellationToken);
                pinged = Now;
            }

            if (tick.IsCompleted)
            {
                await tick;
                tick = due.WaitForNextTickAsync(cancellationToken).AsTask();
                renewed = _clock.GetTimestamp();
                await RenewLeasesAsync(stream, cancellationToken);
            }

            if (work.IsCompleted)
            {
                await work;
                while (outbox.Reader.TryRead(out var queued))
                {
                    while (queued.Session.TakeMessage(queued.Stage, outbox.Writer) is { } message)
                    {
                        await stream.WriteAsync(message, cancellationToken);
                    }

                    if (_clock.GetElapsedTime(renewed) >= _options.RenewEvery || beat.IsCompleted)
                    {
                        break; // leases and signs of life do not wait for a busy queue
                    }
                }

                work = outbox.Reader.WaitToReadAsync(cancellationToken).AsTask();
            }
        }
    }

    private async Task RenewLeasesAsync(IClientStreamWriter<RouterMessage> stream, CancellationToken cancellationToken)
    {
        var renewal = new RenewLease();
        foreach (var (session, stage) in _sessions.Values)
        {
            if (session.LeaseReference(stage) is { } reference)
            {
                renewal.Sessions.Add(reference);
            }
        }

        if (renewal.Sessions.Count > 0)
        {
            await stream.WriteAsync(new RouterMessage { RenewLease = renewal }, cancellationToken);
        }
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_options.WatchEvery, _clock);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            foreach (var (session, seat) in _sessions.Values)
            {
                switch (session.Tick(seat, _options.Watch))
                {
                    case WatchVerdict.BrokenLink:
                        throw new WorkerLinkException("the worker does not answer probes");
                    case WatchVerdict.Stalled:
                        session.OnStalled(_options.Watch.Stall);
                        break;
                    default:
                        break;
                }
            }
        }
    }

    private async Task ReadAsync(IAsyncStreamReader<WorkerMessage> stream, long incarnation, CancellationToken cancellationToken)
    {
        while (await stream.MoveNext(cancellationToken))
        {
            NoteSign(stream.Current.MessageCase == Message.Pong);
            if (stream.Current.MessageCase == Message.Goodbye)
            {
                return; // hanging up is the router's part
            }

            Handle(stream.Current, incarnation);
        }
    }

    /// <summary>The connection to one address.</summary>
    private sealed class Endpoint : IDisposable
    {
        private readonly GrpcChannel _channel;

        public Endpoint(Uri address, Func<SocketsHttpHandler> createHandler)
        {
            Address = address;
            _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
            {
                MaxReceiveMessageSize = 16 * 1024 * 1024,
                MaxSendMessageSize = null,
                HttpHandler = createHandler(),
                DisposeHttpClient = true,
            });
            Client = new Worker.WorkerClient(_channel);
        }

        public Uri Address { get; }

        public Worker.WorkerClient Client { get; }

        public void Dispose() => _channel.Dispose();
    }
}
