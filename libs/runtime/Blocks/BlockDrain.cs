namespace Parallax.Runtime.Blocks;

/// <summary>How far a drain is.</summary>
/// <param name="Handed">Blocks that the exchange has accepted.</param>
/// <param name="Total">Blocks to hand over, as far as is known.</param>
public readonly record struct BlockDrainProgress(int Handed, int Total);

/// <summary>All that others lack is handed over: who waits for that, and who is told.</summary>
internal sealed class BlockDrain(IProgress<BlockDrainProgress>? progress, CancellationToken cancellationToken) : IDisposable
{
    /// <summary>Blocks still to be looked at, parents before children.</summary>
    public Queue<UInt128> Left { get; } = new();

    /// <summary>Blocks accepted so far.</summary>
    public int Handed { get; private set; }

    /// <summary>Ends when all are handed over.</summary>
    public TaskCompletionSource<BlockDrainProgress> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether nobody waits any more.</summary>
    public bool IsCancelled => cancellationToken.IsCancellationRequested;

    /// <summary>A block was accepted.</summary>
    public void Note(int left)
    {
        Handed++;
        progress?.Report(new BlockDrainProgress(Handed, Handed + left));
    }

    /// <summary>It is over; <see cref="Done"/> ends as cancelled when it was not finished.</summary>
    public void Dispose() => Done.TrySetCanceled(cancellationToken.IsCancellationRequested ? cancellationToken : new CancellationToken(true));
}
