using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Links;

/// <summary>
/// All links of a process: dials those that <see cref="Connect"/> names, accepts those that come in through
/// <c>MapTransport</c>. Thread-safe. Disposing drains every link, bounded, and then closes.
/// </summary>
public sealed partial class LinkHub : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Link> _links = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DialledPeer> _dialled = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _closing = new();
    private readonly LinkProtocol _protocol;
    private readonly Func<long> _progress;
    private readonly ILogger _logger;
    private readonly Lock _lock = new(); // guards the bound on _links and the adding to _dialled
    private int _disposed;

    /// <summary>A hub.</summary>
    /// <param name="options">Checked here.</param>
    /// <param name="handler">Told of connections and frames.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Told of connections and refusals.</param>
    /// <param name="progress">The executor's count of finished steps, for heartbeats.</param>
    /// <param name="security">TLS, and by it who is who; plain HTTP/2, and Hello's word for it, when null.</param>
    /// <param name="pool">Buffers; the process's when null.</param>
    /// <exception cref="ArgumentException">The options are not valid; the message names all that is wrong.</exception>
    public LinkHub(
        LinkOptions options,
        ILinkHandler handler,
        TimeProvider time,
        ILogger<LinkHub> logger,
        Func<long>? progress = null,
        LinkSecurity? security = null,
        TensorBufferPool? pool = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("Links carry little-endian tensors as they lie in memory; this machine is big-endian.");
        }

        var errors = options.Validate();
        if (errors.Count > 0)
        {
            throw new ArgumentException("Transport options: " + string.Join(' ', errors), nameof(options));
        }

        (Options, Handler, Time, _logger, Pool) = (options, handler, time, logger, pool ?? TensorBufferPool.Shared);
        _progress = progress ?? (static () => 0);
        Security = security;
        _protocol = new LinkProtocol(Pool);
        Metrics = new LinkMetrics(() => _links.Values);
    }

    /// <summary>Every link, connected or not.</summary>
    public IReadOnlyCollection<Link> Links => [.. _links.Values];

    internal LinkOptions Options { get; }

    internal ILinkHandler Handler { get; }

    internal TimeProvider Time { get; }

    internal TensorBufferPool Pool { get; }

    internal LinkMetrics Metrics { get; }

    internal LinkSecurity? Security { get; }

    internal LinkProtocol Protocol => _protocol;

    /// <summary>The link to a peer, if one was dialled or has come in.</summary>
    public Link? Find(string peerId) => _links.GetValueOrDefault(peerId);

    /// <summary>
    /// The link to a peer, dialled at <paramref name="address"/> whenever it is not connected; of two peers that dial each
    /// other, the lower id's connection stays. Called again it changes the address for the next attempt, and a link that
    /// waits before it dials again does so at once.
    /// </summary>
    /// <exception cref="InvalidOperationException">There are <see cref="LinkOptions.MaxLinks"/> links.</exception>
    public Link Connect(string peerId, Uri address)
    {
        ArgumentException.ThrowIfNullOrEmpty(peerId);
        ArgumentNullException.ThrowIfNull(address);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        if (peerId == Options.PeerId)
        {
            throw new ArgumentException($"{peerId} is this peer's own id: a peer has no link to itself.", nameof(peerId));
        }

        var link = GetOrAdd(peerId)
            ?? throw new InvalidOperationException($"There are {Options.MaxLinks} links already; raise {nameof(LinkOptions.MaxLinks)}.");
        if (!_dialled.ContainsKey(peerId))
        {
            CreateChannel(peerId, address).Dispose(); // throws here and now if one can never be made
        }

        lock (_lock)
        {
            if (!_dialled.TryGetValue(peerId, out var peer))
            {
                _dialled[peerId] = StartDialling(link, address);
                return link;
            }

            peer.Address = address;
            if (link.Current is null)
            {
                peer.Dialer.Request();
            }
        }

        return link;
    }

    /// <summary>Drains every link, bounded, closes, and waits for its loops.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await Task.WhenAll(_links.Values.Select(link => link.DrainAsync()));
        await _closing.CancelAsync();
        foreach (var link in _links.Values)
        {
            link.Current?.Stop(LinkDownReason.Closed);
        }

        foreach (var peer in _dialled.Values)
        {
            await peer.Loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Metrics.Dispose();
        _closing.Dispose();
    }

    internal long Progress() => _progress();

    /// <summary>The monotonic clock as a span.</summary>
    internal TimeSpan Clock() => ToClock(Time.GetTimestamp());

    internal TimeSpan ToClock(long timestamp) => Time.GetElapsedTime(0, timestamp);

    /// <summary>Serves an incoming stream of frames to its end.</summary>
    internal async Task ServeFramesAsync(
        IAsyncStreamReader<TensorBuffer> reader, IServerStreamWriter<TensorBuffer> writer, HttpContext http, CancellationToken cancellationToken)
    {
        RefuseWhenClosing();
        Action abort = http.Abort;
        using var connection = new LinkConnection(this, dialled: false, writer.WriteAsync, reader, abort, static () => Task.CompletedTask, cancellationToken);
        var link = await AcceptAsync(connection, http, cancellationToken);
        if (await link.TryAttachAsync(connection, cancellationToken) is { } refusal)
        {
            throw new RpcException(new Status(StatusCode.AlreadyExists, refusal));
        }

        if (_dialled.TryGetValue(link.PeerId, out var dialled))
        {
            dialled.Dialer.Request(); // it sees that there is a connection, and watches that
        }

        LogConnected(link.PeerId, connection.Generation, "accepted");
        using var judging = StartJudging(link, connection);
        await link.RunAsync(connection);
        LogDisconnected(link.PeerId, connection.Generation, connection.Reason);
    }

    /// <summary>Serves an incoming heartbeat stream to its end.</summary>
    internal async Task ServeHeartbeatsAsync(
        IAsyncStreamReader<TensorBuffer> reader, IServerStreamWriter<TensorBuffer> writer, HttpContext http, CancellationToken cancellationToken)
    {
        RefuseWhenClosing();
        Action abort = http.Abort;
        using var connection = new LinkConnection(this, dialled: false, writer.WriteAsync, reader, abort, static () => Task.CompletedTask, cancellationToken);
        var (peer, refusal) = await ShakeHandsAsync(connection, cancellationToken);
        RefuseImpostor(peer, http);
        if (peer is null || Find(peer.PeerId) is not { } link || link.PeerIncarnation != peer.Incarnation)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition,
                $"Heartbeats go beside a link that is up with the same peer and incarnation (Hello: {refusal})."));
        }

        if (Options.HeartbeatPeriod > TimeSpan.Zero)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            using var exchange = new HeartbeatExchange(this, link, writer.WriteAsync, reader);
            try
            {
                await exchange.RunAsync(stop.Token);
            }
            catch (OperationCanceledException) when (_closing.IsCancellationRequested)
            {
                // This peer closes its links: the stream ends as it should.
            }
        }
    }

    private void RefuseWhenClosing()
    {
        if (Volatile.Read(ref _disposed) != 0)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "This peer is closing its links."));
        }
    }

    private void RefuseImpostor(HelloFrame? hello, HttpContext http)
    {
        if (Security is { } security && hello is not null && security.CallerOf(http) is var caller && caller != hello.PeerId)
        {
            LogImpostor(caller ?? "nobody", hello.PeerId, http.Connection.RemoteIpAddress);
            throw new RpcException(new Status(StatusCode.PermissionDenied, $"The Hello names {hello.PeerId} and the certificate {caller ?? "nobody"}."));
        }
    }

    private Link? GetOrAdd(string peerId)
    {
        lock (_lock)
        {
            if (_links.TryGetValue(peerId, out var link))
            {
                return link;
            }

            if (_links.Count >= Options.MaxLinks)
            {
                return null;
            }

            link = new Link(this, peerId);
            _links[peerId] = link;
            return link;
        }
    }

    private async Task<Link> AcceptAsync(LinkConnection connection, HttpContext http, CancellationToken cancellationToken)
    {
        var (peer, refusal) = await ShakeHandsAsync(connection, cancellationToken);
        if (peer is null)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition,
                $"A link starts with a Hello of major version {FrameHeader.CurrentMajor}: {refusal}."));
        }

        RefuseImpostor(peer, http);
        if (peer.PeerId == Options.PeerId)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"{peer.PeerId} is this peer's own id."));
        }

        var link = GetOrAdd(peer.PeerId)
            ?? throw new RpcException(new Status(StatusCode.ResourceExhausted, $"This peer has its {Options.MaxLinks} links."));
        return !link.IsRefused
            ? link
            : throw new RpcException(new Status(StatusCode.PermissionDenied, $"{peer.PeerId} is refused until {link.RefusedUntil:O} for bad frames."));
    }

    private async Task<(HelloFrame? Peer, FrameRefusal Refusal)> ShakeHandsAsync(LinkConnection connection, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Options.ConnectTimeout, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        return await connection.ShakeHandsAsync(either.Token);
    }

    private DialledPeer StartDialling(Link link, Uri address)
    {
        var peer = new DialledPeer(address);
        peer.Dialer = new PeerDialer(
            Options, Time, token => TryDialAsync(link, peer, token), result => OnDialFailed(link, result));
        peer.Loop = Task.Run(() => DialLoopAsync(link, peer, _closing.Token));
        return peer;
    }

    private async Task DialLoopAsync(Link link, DialledPeer peer, CancellationToken cancellationToken)
    {
        var wasUp = false;
        while (!cancellationToken.IsCancellationRequested && Volatile.Read(ref _disposed) == 0)
        {
            var connection = link.Current;
            if (connection is not null)
            {
                await connection.Completed.WaitAsync(cancellationToken);
            }
            else if ((connection = (await peer.Dialer.DialAsync(wasUp, cancellationToken)).Connection) is not null)
            {
                await RunDialledAsync(link, connection, peer, cancellationToken);
            }
            else
            {
                continue;
            }

            wasUp = true;
            if (connection.Reason == LinkDownReason.Dead)
            {
                // Heartbeats have been trying to reach it, on a connection of their own, for as long as that takes.
                ReportUnreachable(link, "nothing has been heard from it");
            }
        }
    }

    private async Task RunDialledAsync(Link link, LinkConnection connection, DialledPeer peer, CancellationToken cancellationToken)
    {
        using (peer.Frames)
        using (connection)
        {
            LogConnected(link.PeerId, connection.Generation, "dialled");
            using var judging = StartJudging(link, connection);
            using var beatingStop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var beating = BeatAsync(link, connection, peer.Address, beatingStop.Token);
            try
            {
                await link.RunAsync(connection);
            }
            catch (Exception error)
            {
                // A handler threw: a bug above, which ended the connection; the link itself goes on.
                LogHandlerFailed(error, link.PeerId, connection.Generation);
            }

            await beatingStop.CancelAsync();
            await beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            LogDisconnected(link.PeerId, connection.Generation, connection.Reason);
        }
    }

    private async ValueTask<DialResult> TryDialAsync(Link link, DialledPeer peer, CancellationToken cancellationToken)
    {
        if (link.Current is not null || Volatile.Read(ref _disposed) != 0)
        {
            return DialResult.NotNeeded;
        }

        if (link.IsRefused)
        {
            return DialResult.Failed($"it is refused until {link.RefusedUntil:O} for bad frames");
        }

        // A channel for each attempt: its TCP connection may be one that has gone silent without an end.
        var channel = CreateChannel(link.PeerId, peer.Address);
        var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(_protocol.Frames, null, new CallOptions());
        var connection = new LinkConnection(
            this, dialled: true, call.RequestStream.WriteAsync, call.ResponseStream, call.Dispose, call.RequestStream.CompleteAsync, _closing.Token);
        var isAttached = false;
        try
        {
            var (hello, refusal) = await connection.ShakeHandsAsync(cancellationToken);
            var why = hello is null ? $"no Hello of major version {FrameHeader.CurrentMajor}: {refusal}"
                : hello.PeerId != link.PeerId ? $"{hello.PeerId} answers there"
                : await link.TryAttachAsync(connection, cancellationToken);
            if (why is not null)
            {
                return DialResult.Failed(why);
            }

            (isAttached, peer.Frames) = (true, channel);
            return new DialResult(connection, null);
        }
        catch (Exception error) when (error is RpcException or IOException or InvalidOperationException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return DialResult.Failed(error.Message, isThere: error is RpcException { StatusCode: StatusCode.AlreadyExists });
        }
        finally
        {
            if (!isAttached)
            {
                connection.Stop(LinkDownReason.Broken);
                connection.Dispose();
                channel.Dispose();
            }
        }
    }

    private void OnDialFailed(Link link, DialResult result)
    {
        LogDialFailed(link.PeerId, result.Failure!);
        if (!result.IsThere)
        {
            ReportUnreachable(link, result.Failure!);
        }
    }

    private void ReportUnreachable(Link link, string why)
    {
        if (Volatile.Read(ref _disposed) != 0 || !link.TryBeginUnreachable())
        {
            return;
        }

        LogUnreachable(link.PeerId, why);
        try
        {
            Handler.OnUnreachable(link, why);
        }
        catch (Exception error)
        {
            LogHandlerFailed(error, link.PeerId, 0); // a bug above; the link goes on
        }
    }

    /// <summary>Keeps a heartbeat stream up beside a connection that this side dialled.</summary>
    private async Task BeatAsync(Link link, LinkConnection beside, Uri address, CancellationToken cancellationToken)
    {
        if (Options.HeartbeatPeriod <= TimeSpan.Zero)
        {
            return;
        }

        using var channel = CreateChannel(link.PeerId, address);

        while (!cancellationToken.IsCancellationRequested)
        {
            using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(_protocol.Heartbeats, null, new CallOptions());
            using var registration = cancellationToken.Register(call.Dispose);
            using var connection = new LinkConnection(
                this, dialled: true, call.RequestStream.WriteAsync, call.ResponseStream, call.Dispose, call.RequestStream.CompleteAsync, cancellationToken);
            try
            {
                var (peer, _) = await ShakeHandsAsync(connection, cancellationToken);
                if (peer is not null && peer.PeerId == link.PeerId && peer.Incarnation == beside.Peer!.Incarnation)
                {
                    using var exchange = new HeartbeatExchange(this, link, call.RequestStream.WriteAsync, call.ResponseStream);
                    await exchange.RunAsync(cancellationToken);
                }
            }
            catch (Exception error) when (error is RpcException or IOException or InvalidOperationException or OperationCanceledException)
            {
                // Missed beats are what the monitor counts; the stream is tried again until the link is judged.
                LogHeartbeatsFailed(link.PeerId, error.Message);
            }

            await Task.Delay(Options.HeartbeatPeriod, Time, cancellationToken);
        }
    }

    private ITimer? StartJudging(Link link, LinkConnection connection) => Options.HeartbeatPeriod <= TimeSpan.Zero
        ? null
        : Time.CreateTimer(_ => link.JudgeLiveness(connection), null, Options.HeartbeatPeriod / 2, Options.HeartbeatPeriod / 2);

    private GrpcChannel CreateChannel(string peerId, Uri address)
    {
        var handler = Security?.CreateHandler(peerId) ?? new SocketsHttpHandler();
        // One connection a channel, so that frames and heartbeats have one each; a small window keeps what is in flight
        // ahead of a control frame small.
        handler.EnableMultipleHttp2Connections = false;
        handler.InitialHttp2StreamWindowSize = TransportLimits.StreamWindowBytes;
        handler.ConnectTimeout = Options.ConnectTimeout;
        handler.PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan;
        return GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = FrameLimits.MaxFrameBytes,
            MaxSendMessageSize = FrameLimits.MaxFrameBytes,
        });
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Link to {PeerId} up as connection {Generation} ({How}).")]
    private partial void LogConnected(string peerId, long generation, string how);

    [LoggerMessage(Level = LogLevel.Information, Message = "Link to {PeerId}, connection {Generation}, down: {Reason}.")]
    private partial void LogDisconnected(string peerId, long generation, LinkDownReason reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A handler of the link to {PeerId} failed; connection {Generation} was ended.")]
    private partial void LogHandlerFailed(Exception error, string peerId, long generation);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Caller} said Hello as {Named}, from {Address}: refused.")]
    private partial void LogImpostor(string caller, string named, System.Net.IPAddress? address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{PeerId} cannot be reached any more: {Why}.")]
    private partial void LogUnreachable(string peerId, string why);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Dialling {PeerId} failed: {Why}.")]
    private partial void LogDialFailed(string peerId, string why);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Heartbeats to {PeerId} failed: {Why}.")]
    private partial void LogHeartbeatsFailed(string peerId, string why);
}
