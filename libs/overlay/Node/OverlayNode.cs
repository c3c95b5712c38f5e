using System.Collections.Immutable;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Overlay.Protocol;
using Parallax.Overlay.Records;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Node;

/// <summary>
/// This process's peer of the overlay: runs the protocol against the clock and gRPC. Answers come in through
/// <c>MapOverlay</c>; start it once the server listens. Thread-safe. Disposing cancels what is under way.
/// </summary>
public sealed partial class OverlayNode : IOverlay, IAsyncDisposable
{
    private const int MaxChannels = 1024;
    private const int RememberedVerdicts = 8192;

    /// <summary>For a removal of what an earlier incarnation may have published.</summary>
    private static readonly TimeSpan RemovalLease = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan TickPeriod = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new(); // guards the core and _waiting
    private readonly Dictionary<long, Action<OverlayOutput>> _waiting = []; // bounded by the core's operations
    private readonly PeerKey _key;
    private readonly OverlayOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<OverlayNode> _log;
    private readonly long _started;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RecordVerifier _verifier = new(RememberedVerdicts);
    private readonly PeerChannels _channels;
    private volatile OverlayCore? _core;
    private ITimer? _ticks;
    private int _callsUnderWay = 1; // this node itself counts as one until it is disposed
    private int _disposed;

    /// <exception cref="OverlayException">The options are wrong; all errors are named.</exception>
    public OverlayNode(PeerKey key, OverlayOptions options, TimeProvider time, ILogger<OverlayNode> log)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(log);
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new OverlayException($"The overlay's options are wrong. {string.Join(" ", errors)}");
        }

        (_key, _options, _time, _log, _started) = (key, options, time, log, time.GetTimestamp());
        _channels = new PeerChannels(options.Dial ?? DialClearText, MaxChannels);
        Metrics = new OverlayMetrics(() => _core);
    }

    /// <inheritdoc/>
    public PeerId Self => _key.Id;

    /// <summary>Completes when neighbours have been found, or there are none to look for. Cancelled by disposal.</summary>
    public Task Joined => _joined.Task;

    /// <summary>Where others dial this peer; null before <see cref="Start"/>.</summary>
    public Uri? Address => _core?.Self.Address;

    /// <inheritdoc/>
    public ImmutableArray<KnownPeer> Peers
    {
        get
        {
            lock (_gate)
            {
                return _core is { } core
                    ? [.. core.Table.Entries.Select(static entry => new KnownPeer(entry.Contact.Id, entry.Contact.Address, entry.RoundTrip))]
                    : [];
            }
        }
    }

    internal OverlayOptions Options => _options;

    internal OverlayMetrics Metrics { get; }

    /// <summary>How often something was refused for a reason since the start.</summary>
    public long Refused(OverlayRefusal reason) => _core?.Statistics.Refused(reason) ?? 0;

    /// <summary>Begins to take part. The server must listen by now, because others call back.</summary>
    /// <param name="address">Where others dial this peer; null: <see cref="OverlayOptions.Address"/>.</param>
    /// <exception cref="OverlayException">There is no address, or none that can be dialled.</exception>
    public void Start(Uri? address = null)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        address ??= _options.Address;
        if (address is null || !OverlayMapping.IsDiallable(address))
        {
            throw new OverlayException(
                $"The overlay needs the address where other peers dial this one, such as https://10.0.0.2:7100; {address?.OriginalString ?? "none"} is none.");
        }

        lock (_gate)
        {
            if (_core is not null)
            {
                throw new InvalidOperationException("The overlay has been started already.");
            }

            var seed = BitConverter.ToInt32(Self.ToByteArray()) ^ unchecked((int)_time.GetTimestamp());
            _core = new OverlayCore(
                SettingsOf(_options), new PeerContact(Self, address), _options.Incarnation, [.. _options.Bootstrap], new PeerKeySigner(_key), _verifier, new Random(seed));
        }

        LogStarted(Self.Abbreviated, address, _options.Bootstrap.Count);
        Do(static (core, now) => core.Start(now));
        _ticks = _time.CreateTimer(_ => Tick(), null, TickPeriod, TickPeriod);
    }

    /// <inheritdoc/>
    /// <exception cref="OverlayException">The value is too large, or this peer publishes under too many keys.</exception>
    public FoundRecord Seal(OverlayKey key, ReadOnlyMemory<byte> value, TimeSpan lease)
    {
        if (value.Length > OverlayLimits.MaxValueBytes)
        {
            throw new OverlayException($"A record holds {OverlayLimits.MaxValueBytes} bytes at most; this one has {value.Length}. Spread it over several keys.");
        }

        if (lease < TimeSpan.FromSeconds(1) || lease > OverlayLimits.MaxLease)
        {
            throw new ArgumentOutOfRangeException(nameof(lease), lease, $"A lease lasts 1 s to {OverlayLimits.MaxLease}.");
        }

        // The caller may reuse its buffer, and what is signed is in whole milliseconds.
        var (copy, whole) = (value.ToArray(), TimeSpan.FromMilliseconds(Math.Floor(lease.TotalMilliseconds)));
        lock (_gate)
        {
            RefuseTooManyKeys(Core, key);
            return OverlayMapping.ToFound(Core.Seal(key, copy, whole, Now));
        }
    }

    /// <inheritdoc/>
    /// <exception cref="OverlayException">Too many operations are under way.</exception>
    public Task<int> PutAsync(FoundRecord record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        return PublishAsync(
            (core, now) =>
            {
                var last = core.Sealed(record.Key);
                if (record.Publisher != Self || last is null || last.Version < new RecordVersion(record.Incarnation, record.Sequence))
                {
                    throw new ArgumentException("A peer publishes what it has sealed itself.", nameof(record));
                }

                return core.Put(record.Key, now);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public FoundRecord? Open(ReadOnlyMemory<byte> envelope)
    {
        if (OverlayMapping.ReadEnvelope(envelope.Span) is not { } held)
        {
            Refuse(OverlayRefusal.Malformed);
            return null;
        }

        if (held.Remaining <= TimeSpan.Zero)
        {
            Refuse(OverlayRefusal.Expired);
            return null;
        }

        if (!_verifier.Verify(held.Record))
        {
            Refuse(OverlayRefusal.Forged);
            return null;
        }

        return OverlayMapping.ToFound(held);
    }

    /// <inheritdoc/>
    public Task RemoveAsync(OverlayKey key, CancellationToken cancellationToken) => PublishAsync(
        (core, now) =>
        {
            RefuseTooManyKeys(core, key);
            core.Seal(key, ReadOnlyMemory<byte>.Empty, core.Sealed(key)?.Lease ?? RemovalLease, now);
            return core.Put(key, now);
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<ImmutableArray<FoundRecord>> GetAsync(OverlayKey key, CancellationToken cancellationToken)
    {
        var done = await RunAsync<GetDone>((core, now) => core.Get(key, now), cancellationToken);
        return [.. done.Records.Where(static held => !held.Record.IsTombstone).Select(OverlayMapping.ToFound)];
    }

    /// <summary>The peers closest to an id that answer, closest first; at most k.</summary>
    public async Task<ImmutableArray<KnownPeer>> FindPeersAsync(PeerId target, CancellationToken cancellationToken)
    {
        var done = await RunAsync<FindDone>((core, now) => core.Find(target, now), cancellationToken);
        lock (_gate)
        {
            return [.. done.Peers.Select(contact => new KnownPeer(contact.Id, contact.Address, Core.Table.Find(contact.Id)?.RoundTrip))];
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        if (_ticks is not null)
        {
            await _ticks.DisposeAsync();
        }

        await _stop.CancelAsync();
        CallEnded();
        await _idle.Task;
        _joined.TrySetCanceled(CancellationToken.None);
        _channels.Dispose();
        Metrics.Dispose();
        _stop.Dispose();
    }

    /// <summary>Gives the protocol a call that came in. Null: the caller calls too often.</summary>
    internal OverlayAnswer? Handle(OverlayCaller caller, OverlayRequest request)
    {
        var records = request is StoreCall store ? store.Records : [];
        lock (_gate)
        {
            if (!Core.Admit(caller.Key, records.Count, Now))
            {
                return null;
            }
        }

        Verify(records);
        OverlayAnswer? answer = null;
        Do((core, now) => answer = core.Handle(caller, request, now));
        return answer;
    }

    internal void Refuse(OverlayRefusal reason) => _core?.Statistics.Refuse(reason);

    private OverlayCore Core => _core ?? throw new InvalidOperationException("The overlay has not been started.");

    private TimeSpan Now => _time.GetElapsedTime(_started);

    private static CoreSettings SettingsOf(OverlayOptions options) => new()
    {
        K = options.K,
        Alpha = options.Alpha,
        Quorum = Math.Min(3, options.K),
        SlowAfter = options.CallTimeout / 3,
        PerNetwork = options.PeersPerNetwork,
        Networks = new NetworkShare([.. options.TrustedNetworks]),
        RefreshInterval = options.RefreshInterval,
        CallsPerSecond = options.CallsPerSecond,
        CallBurst = options.CallBurst,
    };

    private static GrpcChannel DialClearText(Uri address, PeerId? peer) => GrpcChannel.ForAddress(address, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = false },
        DisposeHttpClient = true,
        MaxReceiveMessageSize = OverlayMapping.MaxMessageBytes,
    });

    private static void RefuseTooManyKeys(OverlayCore core, OverlayKey key)
    {
        var most = core.Settings.Quotas.PerPublisher.Records;
        if (core.Sealed(key) is null && core.Publications >= most)
        {
            throw new OverlayException($"A peer publishes under {most} keys at most. Remove one, or put more into one record.");
        }
    }

    private async Task<int> PublishAsync(Func<OverlayCore, TimeSpan, long> start, CancellationToken cancellationToken)
    {
        var done = await RunAsync<PutDone>(start, cancellationToken);
        if (done.Newer > 0)
        {
            LogNewerHeld(done.Newer, _options.Incarnation);
        }

        return done.Holders;
    }

    /// <summary>Starts an operation and waits for its end.</summary>
    private async Task<TDone> RunAsync<TDone>(Func<OverlayCore, TimeSpan, long> start, CancellationToken cancellationToken)
        where TDone : OverlayOutput
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        var done = new TaskCompletionSource<TDone>(TaskCreationOptions.RunContinuationsAsynchronously);
        Do((core, now) =>
        {
            if (core.IsBusy)
            {
                throw new OverlayException(
                    $"{core.Settings.MaxOperations} puts and gets are under way, the most there may be at once. Try again when some have ended.");
            }

            _waiting.Add(start(core, now), output => done.TrySetResult((TDone)output));
        });
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        return await done.Task.WaitAsync(either.Token);
    }

    private void Tick()
    {
        try
        {
            Do(static (core, now) => core.Advance(now));
        }
        catch (Exception error)
        {
            // A bug: the next tick goes on, and somebody must hear of it.
            LogTickFailed(error);
        }
    }

    /// <summary>Gives the core something, and does what it wants done.</summary>
    private void Do(Action<OverlayCore, TimeSpan> input)
    {
        var outputs = new List<OverlayOutput>();
        lock (_gate)
        {
            input(Core, Now);
            while (Core.TryTake(out var output))
            {
                outputs.Add(output);
            }
        }

        foreach (var output in outputs)
        {
            Perform(output);
        }
    }

    private void Perform(OverlayOutput output)
    {
        switch (output)
        {
            case CallToMake call:
                if (CallBegins())
                {
                    _ = CallAsync(call); // counted: disposal waits for it
                }

                break;
            case PutDone done:
                End(done.Operation, done);
                break;
            case GetDone done:
                End(done.Operation, done);
                break;
            case FindDone done:
                End(done.Operation, done);
                break;
            case LookupDone lookup:
                Metrics.Lookup(lookup);
                break;
            case PeerLost lost:
                LogPeerLost(lost.Peer.Id.Abbreviated, lost.Peer.Address);
                _channels.Drop(lost.Peer.Id, lost.Peer.Address);
                break;
            case JoinDone:
                LogJoined(Peers.Length);
                _joined.TrySetResult();
                break;
        }
    }

    private void End(long operation, OverlayOutput done)
    {
        Action<OverlayOutput>? waiting;
        lock (_gate)
        {
            _waiting.Remove(operation, out waiting);
        }

        waiting?.Invoke(done);
    }

    // Outside the lock: the core finds the verdict remembered.
    private void Verify(IReadOnlyList<HeldRecord> records)
    {
        foreach (var held in records)
        {
            _verifier.Verify(held.Record);
        }
    }

    private bool CallBegins()
    {
        Interlocked.Increment(ref _callsUnderWay);
        if (Volatile.Read(ref _disposed) == 0)
        {
            return true;
        }

        CallEnded();
        return false;
    }

    private void CallEnded()
    {
        if (Interlocked.Decrement(ref _callsUnderWay) == 0)
        {
            _idle.TrySetResult();
        }
    }
}
