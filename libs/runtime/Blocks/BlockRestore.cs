using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Parallax.Runtime.Execution;

namespace Parallax.Runtime.Blocks;

/// <summary>
/// Blocks of one session on their way from an exchange, and the Open that waits for them. A task of its own brings them, a
/// few at a time; the engine's loop takes them, and alone touches everything else.
/// </summary>
internal sealed class BlockRestore : IDisposable
{
    private readonly ConcurrentQueue<FetchedBlock> _arrived = new();
    private readonly SemaphoreSlim _room;
    private readonly CancellationTokenSource _stop = new();
    private volatile bool _hasEnded;
    private volatile Exception? _failure;

    /// <param name="opening">The Open that is answered when the blocks are in.</param>
    /// <param name="tokenIds">Prompt and answer as the Open names them.</param>
    /// <param name="query">What is asked for.</param>
    /// <param name="window">Blocks that may have come and wait to be taken.</param>
    /// <param name="began">When it began.</param>
    public BlockRestore(Opening opening, ImmutableArray<int> tokenIds, BlockQuery query, int window, TimeSpan began)
    {
        (Opening, TokenIds, Query, Began) = (opening, tokenIds, query, began);
        Due = began + query.TimeLeft;
        FirstAt = began;
        _room = new SemaphoreSlim(window);
    }

    public Opening Opening { get; }

    public ImmutableArray<int> TokenIds { get; }

    public BlockQuery Query { get; }

    /// <summary>Another session's that fetches the same blocks: they are waited for, and not fetched twice; null: this one fetches.</summary>
    public BlockRestore? Leader { get; init; }

    /// <summary>Whether nobody waits for it any more: what has come is in the cache.</summary>
    public bool IsOver { get; private set; }

    public TimeSpan Began { get; }

    /// <summary>When what has come has to do.</summary>
    public TimeSpan Due { get; }

    /// <summary>Blocks that are in.</summary>
    public int Taken { get; private set; }

    /// <summary>When the first was in.</summary>
    public TimeSpan FirstAt { get; private set; }

    /// <summary>Whether all have been taken.</summary>
    public bool IsComplete => Taken == Query.Hashes.Length;

    /// <summary>Whether nothing more comes.</summary>
    public bool HasEnded => _hasEnded && _arrived.IsEmpty;

    /// <summary>Why it ended early, when the exchange failed.</summary>
    public Exception? Failure => _failure;

    /// <summary>Starts to fetch.</summary>
    /// <param name="exchange">Where from.</param>
    /// <param name="wake">Makes the loop look.</param>
    public void Begin(IBlockExchange exchange, Action wake) => _ = Task.Run(() => FetchAsync(exchange, wake));

    /// <summary>The next block that has come.</summary>
    public bool TryTake([NotNullWhen(true)] out FetchedBlock? block)
    {
        if (!_arrived.TryDequeue(out block))
        {
            return false;
        }

        _room.Release();
        return true;
    }

    /// <summary>The block that was taken last is in.</summary>
    public void Note(TimeSpan now)
    {
        if (Taken++ == 0)
        {
            FirstAt = now;
        }
    }

    /// <summary>Nobody waits for more. Cancelling must not keep the loop: what it calls off runs elsewhere.</summary>
    public void Dispose()
    {
        IsOver = true;
        _ = _stop.CancelAsync();
    }

    private async Task FetchAsync(IBlockExchange exchange, Action wake)
    {
        try
        {
            await foreach (var block in exchange.FetchAsync(Query, _stop.Token).WithCancellation(_stop.Token))
            {
                await _room.WaitAsync(_stop.Token);
                _arrived.Enqueue(block);
                wake();
            }
        }
        catch (Exception e)
        {
            // Not the engine's failure: the loop counts it and goes on without the rest.
            _failure = _stop.IsCancellationRequested ? null : e;
        }
        finally
        {
            _hasEnded = true;
            wake();
        }
    }
}
