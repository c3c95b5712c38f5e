namespace Parallax.Runtime.Blocks;

/// <summary>
/// Where a worker's KV blocks go so that others find them, and where they come from. Thread-safe. Best effort: whatever
/// fails is a block that is not there.
/// </summary>
public interface IBlockExchange
{
    /// <summary>Whether there is anybody to exchange blocks with. While not, nothing is copied, and nothing is asked for.</summary>
    bool IsOpen => true;

    /// <summary>
    /// Rises when what was offered before may be gone: a place that keeps blocks came, or came back, and maybe with nothing. Then
    /// all blocks are offered once more.
    /// </summary>
    long Generation => 0;

    /// <summary>
    /// Hands over a filled block. Called by an engine's loop: returns at once and does not throw. What is accepted is the
    /// exchange's from then on.
    /// </summary>
    /// <returns>False when its bounded queue is full: the block is dropped, and counted by the caller.</returns>
    bool Offer(BlockOffer offer);

    /// <summary>
    /// The blocks of a chain in order, from its first on, each whole; ends where the chain is not known any further. May
    /// throw, and may end early for any reason. Whoever enumerates takes a few blocks at a time: the implementation reads
    /// ahead by a bounded amount at most.
    /// </summary>
    /// <param name="query">What is asked for.</param>
    /// <param name="cancellationToken">Nobody waits for the rest any more.</param>
    IAsyncEnumerable<FetchedBlock> FetchAsync(BlockQuery query, CancellationToken cancellationToken);
}
