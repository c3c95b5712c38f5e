using Parallax.Runtime.Blocks;

namespace Parallax.PipelineBenchmark.Writes;

/// <summary>An exchange that takes whatever is offered and has nothing: what is measured is the engine's side alone.</summary>
internal sealed class TakesAll : IBlockExchange
{
    private long _bytes;
    private long _blocks;

    public long Bytes => Volatile.Read(ref _bytes);

    public long Blocks => Volatile.Read(ref _blocks);

    public bool Offer(BlockOffer offer)
    {
        Interlocked.Add(ref _bytes, offer.Bytes);
        Interlocked.Increment(ref _blocks);
        return true;
    }

    public IAsyncEnumerable<FetchedBlock> FetchAsync(BlockQuery query, CancellationToken cancellationToken) => AsyncEnumerable.Empty<FetchedBlock>();
}
