using System.Collections;
using System.Collections.Immutable;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Buffers;
using Parallax.KvClient.Calls;
using Parallax.KvClient.Instances;
using Parallax.KvClient.Protocol;

namespace Parallax.KvClient;

/// <summary>
/// The KV cache of a swarm: all its instances as one. Blocks are put to those that rendezvous hashing names and fetched from
/// the nearest of them, and from another one what that one lacks. Whatever fails is a miss, within the times of the options: no call
/// throws but for its caller's token, and an instance that failed is left alone for a while. Thread-safe.
/// </summary>
public sealed partial class KvCacheClient : IDisposable
{
    private const long IdleBytes = 64 << 20; // of buffers, kept for the next parts that are fetched

    private readonly IKvInstances _instances;
    private readonly KvClientOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly InstanceLinks _links;
    private readonly KvProtocol _protocol;
    private readonly long _origin;

    /// <param name="instances">Which there are. Stay the caller's.</param>
    /// <param name="credentials">Who calls: a worker, or an instance. Stay the caller's.</param>
    /// <param name="options">Times.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="logger">Log.</param>
    public KvCacheClient(IKvInstances instances, SwarmCredentials credentials, KvClientOptions options, TimeProvider clock, ILogger<KvCacheClient> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Copies, 1);
        ArgumentNullException.ThrowIfNull(clock);
        (_instances, _options, _clock, _logger) = (instances, options, clock, logger);
        _links = new InstanceLinks(credentials, options);
        _protocol = new KvProtocol(new PartBufferPool(IdleBytes).Rent);
        _origin = clock.GetTimestamp();
    }

    /// <summary>Whether there is an instance to ask at the moment.</summary>
    public bool IsAvailable => Usable().Length > 0;

    /// <summary>Rises when an instance has come, or answers again after it had failed: what was put before may be gone.</summary>
    public long Arrivals => _links.Arrivals;

    private TimeSpan Now => _clock.GetElapsedTime(_origin);

    /// <summary>Puts parts, to several instances at once. The order is that of the chain: what comes first is kept longest.</summary>
    public Task<PutOutcome> PutAsync(TenantId tenant, IReadOnlyList<PartToPut> parts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return PutAsync(tenant, [.. parts.Select(static part => new MemorySource(part))], cancellationToken);
    }

    /// <summary>Fetches parts.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="addresses">Which, from the beginning of a chain on.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was found; the caller disposes of it.</returns>
    public async Task<FetchedParts> GetAsync(TenantId tenant, IReadOnlyList<PartAddress> addresses, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        var parts = new FetchedParts(addresses.Count);
        try
        {
            var links = Usable();
            var order = new Dictionary<UInt128, ImmutableArray<InstanceLink>>();
            // One more than there are copies: an instance that came lately has taken the place of one that still has them.
            for (var attempt = 0; attempt <= _options.Copies && attempt < links.Length; attempt++)
            {
                var asked = new Dictionary<InstanceLink, List<int>>();
                for (var place = 0; place < addresses.Count; place++)
                {
                    if (parts.IsMissing(place))
                    {
                        var hash = addresses[place].Hash;
                        if (!order.TryGetValue(hash, out var candidates))
                        {
                            order.Add(hash, candidates = Nearest(hash, links));
                        }

                        if (!asked.TryGetValue(candidates[attempt], out var places))
                        {
                            asked.Add(candidates[attempt], places = []);
                        }

                        places.Add(place);
                    }
                }

                await Task.WhenAll(asked.Select(one => AttemptAsync(
                    one.Key,
                    _options.TransferTime,
                    async timer =>
                    {
                        await GetCall.RunAsync(one.Key, _protocol, tenant, addresses, one.Value, parts, timer);
                        return true;
                    },
                    cancellationToken)));
            }

            return parts;
        }
        catch
        {
            parts.Dispose();
            throw;
        }
    }

    /// <summary>Which blocks of a chain are whole at some instance.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="chain">Hashes from the beginning of the chain on.</param>
    /// <param name="query">What of each block.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<ChainPresence> LookupAsync(TenantId tenant, ReadOnlyMemory<UInt128> chain, ChainQuery query, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chain.Length, PartLimits.MostBlocks);
        var request = new KvLookupRequest
        {
            Tenant = PartCodec.WriteHash(tenant.Value),
            LayerStart = query.LayerStart,
            LayerEnd = query.LayerEnd,
            Outputs = query.WantsOutputs,
        };
        foreach (var hash in chain.Span)
        {
            request.Chain.Add(PartCodec.WriteHash(hash));
        }

        var replies = await Task.WhenAll(Usable().Select(link => AttemptAsync(
            link,
            _options.LookupTime,
            async timer =>
            {
                var asked = _clock.GetTimestamp();
                using var call = link.Next().AsyncUnaryCall(_protocol.Lookup, null, new CallOptions(cancellationToken: timer.Token), request);
                var reply = await call.ResponseAsync;
                link.Health.OnAnswered(_clock.GetElapsedTime(asked));
                return reply;
            },
            cancellationToken)));
        var whole = new BitArray(chain.Length);
        foreach (var reply in replies)
        {
            for (var i = 0; reply is not null && i < chain.Length && i / 8 < reply.Whole.Length; i++)
            {
                whole[i] |= (reply.Whole[i / 8] & (1 << (i % 8))) != 0;
            }
        }

        var leading = 0;
        while (leading < whole.Length && whole[leading])
        {
            leading++;
        }

        return new ChainPresence(leading, whole);
    }

    /// <inheritdoc/>
    public void Dispose() => _links.Dispose();

    /// <summary>Puts parts from wherever they are.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="parts">The parts.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task<PutOutcome> PutAsync(TenantId tenant, IReadOnlyList<IPartSource> parts, CancellationToken cancellationToken)
    {
        var links = Usable();
        var shares = new Dictionary<InstanceLink, List<IPartSource>>();
        var order = new Dictionary<UInt128, ImmutableArray<InstanceLink>>();
        foreach (var part in parts)
        {
            var hash = part.Claim.Address.Hash;
            if (!order.TryGetValue(hash, out var holders))
            {
                order.Add(hash, holders = Order(hash, links));
            }

            foreach (var link in holders.AsSpan()[..Math.Min(_options.Copies, holders.Length)])
            {
                if (!shares.TryGetValue(link, out var share))
                {
                    shares.Add(link, share = []);
                }

                share.Add(part);
            }
        }

        var outcomes = await Task.WhenAll(shares.Select(share => PutToAsync(share.Key, tenant, share.Value, cancellationToken)));
        var wanted = parts.Count * Math.Min(_options.Copies, Math.Max(1, _instances.Current.Length));
        var copies = outcomes.Sum(static outcome => outcome.Copies);
        return new PutOutcome(copies, outcomes.Sum(static outcome => outcome.Sent), Math.Max(0, wanted - copies));
    }

    /// <summary>Puts parts to one instance, whoever they belong to; nothing when it is gone or fails.</summary>
    internal Task<PutOutcome> PutToAsync(PeerId instance, TenantId tenant, IReadOnlyList<IPartSource> parts, CancellationToken cancellationToken) =>
        Usable().FirstOrDefault(link => link.Instance.Id == instance) is { } found
            ? PutToAsync(found, tenant, parts, cancellationToken)
            : Task.FromResult(new PutOutcome(0, 0, parts.Count));

    private async Task<PutOutcome> PutToAsync(InstanceLink link, TenantId tenant, IReadOnlyList<IPartSource> parts, CancellationToken cancellationToken) =>
        await AttemptAsync(
            link,
            _options.TransferTime,
            async timer => (PutOutcome?)await PutCall.RunAsync(link, _protocol, tenant, parts, _options.BatchBytes, _clock, timer),
            cancellationToken) ?? new PutOutcome(0, 0, parts.Count);

    /// <summary>Makes a call; default when it fails or takes too long.</summary>
    private async Task<T?> AttemptAsync<T>(InstanceLink link, TimeSpan time, Func<CallTimer, Task<T>> call, CancellationToken cancellationToken)
    {
        using var timer = new CallTimer(_options.Patience, time, _clock, cancellationToken);
        try
        {
            return await call(timer);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or InvalidOperationException or HttpRequestException or IOException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            link.Health.OnFailed(Now);
            LogFailed(link.Instance.Id.Abbreviated, e is RpcException rpc ? rpc.Status.Detail : e.Message);
            return default;
        }
    }

    private ImmutableArray<InstanceLink> Usable()
    {
        var now = Now;
        var links = _links.To(_instances.Current);
        return links.All(link => link.Health.IsUsable(now)) ? links : [.. links.Where(link => link.Health.IsUsable(now))];
    }

    private static ImmutableArray<InstanceLink> Order(UInt128 hash, ImmutableArray<InstanceLink> links)
    {
        if (links.Length < 2)
        {
            return links;
        }

        var order = Rendezvous.Order(hash, [.. links.Select(static link => link.Instance)]);
        return [.. order.Select(instance => links.First(link => link.Instance == instance))];
    }

    /// <summary>Those that should have a block, the nearest first, and then the others in the order of the rendezvous.</summary>
    private ImmutableArray<InstanceLink> Nearest(UInt128 hash, ImmutableArray<InstanceLink> links)
    {
        var order = Order(hash, links);
        var copies = Math.Min(_options.Copies, order.Length);
        return [.. order[..copies].OrderBy(static link => link.Health.RoundTrip), .. order[copies..]];
    }

    [LoggerMessage(215, LogLevel.Warning, "The KV cache's instance {Instance} failed: {Problem}")]
    private partial void LogFailed(string instance, string problem);
}
