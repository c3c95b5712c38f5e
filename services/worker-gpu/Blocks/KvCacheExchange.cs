using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Parallax.KvBlocks;
using Parallax.KvClient;
using Parallax.Runtime.Blocks;

namespace Parallax.Worker.Gpu.Blocks;

/// <summary>
/// The swarm's KV cache as the worker's engines see it: what they offer waits in a bounded queue and is put batch by batch;
/// what they ask for comes window by window, the next one on its way while one is taken in.
/// </summary>
/// <param name="client">The cache. Stays the caller's.</param>
/// <param name="clock">Clock.</param>
internal sealed class KvCacheExchange(KvCacheClient client, TimeProvider clock) : IBlockExchange, IAsyncDisposable
{
    private const int QueueBlocks = 1024;
    private const long QueueBytes = 64L << 20;
    private const long BatchBytes = 8L << 20;
    private const long WindowBytes = 4L << 20;
    private const int FirstWindow = 4; // blocks: their size is not known yet

    // An instance that fails again and again must not be offered everything each time.
    private static readonly TimeSpan OfferAgainEvery = TimeSpan.FromSeconds(30);

    private readonly Channel<BlockOffer> _queue = Channel.CreateBounded<BlockOffer>(
        new BoundedChannelOptions(QueueBlocks) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly OfferingAgain _again = new(OfferAgainEvery);
    private readonly CancellationTokenSource _stopping = new();
    private Task _pump = Task.CompletedTask;
    private long _queuedBytes;

    /// <inheritdoc/>
    public bool IsOpen => client.IsAvailable;

    /// <inheritdoc/>
    public long Generation => _again.At(client.Arrivals, clock.GetTimestamp(), clock.TimestampFrequency);

    /// <summary>Begins to put what is offered.</summary>
    public void Start() => _pump = PumpAsync(_stopping.Token);

    /// <inheritdoc/>
    public bool Offer(BlockOffer offer)
    {
        ArgumentNullException.ThrowIfNull(offer);
        if (!IsOpen)
        {
            return false;
        }

        var bytes = offer.Bytes;
        if (Interlocked.Add(ref _queuedBytes, bytes) <= QueueBytes && _queue.Writer.TryWrite(offer))
        {
            return true;
        }

        Interlocked.Add(ref _queuedBytes, -bytes);
        return false;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<FetchedBlock> FetchAsync(BlockQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var tenant = TenantId.Of(query.Tenant);
        var present = await client.LookupAsync(
            tenant, query.Hashes.AsMemory(), new ChainQuery(query.Layers.Start, query.Layers.End, WantsOutputs: false), cancellationToken);
        var (start, window) = (0, FirstWindow);
        var next = GetAsync(tenant, query, start, Math.Min(window, present.Leading), cancellationToken);
        try
        {
            while (start < present.Leading)
            {
                var count = Math.Min(window, present.Leading - start);
                var blocks = await next;
                start += count;
                if (blocks.Length == count)
                {
                    window = NextWindow(query, blocks[^1]);
                    next = GetAsync(tenant, query, start, Math.Min(window, present.Leading - start), cancellationToken);
                }

                foreach (var block in blocks)
                {
                    yield return block;
                }

                if (blocks.Length < count)
                {
                    yield break; // one has been evicted since
                }
            }
        }
        finally
        {
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // given up with the token, if it still runs
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_stopping.IsCancellationRequested)
        {
            await _stopping.CancelAsync();
            await _pump.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits until what has been offered so far is put, or given up.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        while (Interlocked.Read(ref _queuedBytes) > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }

    private static int NextWindow(BlockQuery query, FetchedBlock block)
    {
        var bytes = Math.Max(1, block.Parts.Sum(static part => (long)part.Bytes.Length));
        return (int)Math.Clamp(WindowBytes / bytes, 1, Math.Max(1, PartLimits.MostParts / PartsOf(query)));
    }

    private static int PartsOf(BlockQuery query) => query.Layers.Count + (query.WantOutputs ? 1 : 0);

    /// <summary>Whole blocks, as far as they come one after another.</summary>
    private async Task<ImmutableArray<FetchedBlock>> GetAsync(TenantId tenant, BlockQuery query, int start, int count, CancellationToken cancellationToken)
    {
        if (count <= 0)
        {
            return [];
        }

        var each = PartsOf(query);
        var addresses = new List<PartAddress>(count * each);
        foreach (var hash in query.Hashes.AsSpan().Slice(start, count))
        {
            for (var layer = query.Layers.Start; layer < query.Layers.End; layer++)
            {
                addresses.Add(new PartAddress(hash, PartKind.Kv, layer));
            }

            if (query.WantOutputs)
            {
                addresses.Add(new PartAddress(hash, PartKind.Outputs, query.Layers.End - 1));
            }
        }

        using var parts = await client.GetAsync(tenant, addresses, cancellationToken);
        var blocks = ImmutableArray.CreateBuilder<FetchedBlock>(count);
        for (var b = 0; b < count && IsWhole(parts, b * each, query.Layers.Count); b++)
        {
            blocks.Add(new FetchedBlock(query.Hashes[start + b], Copy(addresses, parts, b * each, each)));
        }

        return blocks.ToImmutable();
    }

    private static bool IsWhole(FetchedParts parts, int first, int layers)
    {
        for (var i = first; i < first + layers; i++)
        {
            if (parts[i] is null)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Engines take blocks in at their own pace, and the buffers are the client's.</summary>
    private static ImmutableArray<BlockPart> Copy(List<PartAddress> addresses, FetchedParts parts, int first, int count)
    {
        var copies = ImmutableArray.CreateBuilder<BlockPart>(count);
        for (var i = first; i < first + count; i++)
        {
            if (parts[i] is { } bytes)
            {
                var (hash, kind, layer) = addresses[i];
                copies.Add(new BlockPart(
                    new BlockPartAddress(hash, kind == PartKind.Kv ? BlockPartKind.Kv : BlockPartKind.Outputs, layer), bytes.ToArray(), parts.ChecksumOf(i)));
            }
        }

        return copies.ToImmutable();
    }

    private async Task PumpAsync(CancellationToken stop)
    {
        var batch = new List<BlockOffer>();
        while (await _queue.Reader.WaitToReadAsync(stop))
        {
            var bytes = 0L;
            while (bytes < BatchBytes && _queue.Reader.TryRead(out var offer))
            {
                batch.Add(offer);
                bytes += offer.Bytes;
            }

            foreach (var ofTenant in batch.GroupBy(static offer => offer.Tenant, StringComparer.Ordinal))
            {
                await client.PutAsync(TenantId.Of(ofTenant.Key), [.. ofTenant.SelectMany(Parts)], stop);
            }

            batch.Clear();
            Interlocked.Add(ref _queuedBytes, -bytes);
        }
    }

    private static IEnumerable<PartToPut> Parts(BlockOffer offer) => offer.Parts.Select(part => new PartToPut(
        new PartAddress(part.Address.Hash, part.Address.Kind == BlockPartKind.Kv ? PartKind.Kv : PartKind.Outputs, part.Address.Layer),
        part.Bytes,
        offer.Index == 0 ? default : offer.Parent,
        part.Checksum));
}
