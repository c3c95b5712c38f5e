using Parallax.Worker.Gpu.Shards;

namespace Parallax.Worker.Gpu.Blocks;

/// <summary>Before a worker leaves: its KV blocks go to the swarm's KV cache, so that whoever takes its sessions over computes nothing again.</summary>
internal sealed partial class BlockHandover(ShardHost shards, KvCacheExchange exchange, TimeProvider clock, ILogger<BlockHandover> logger)
{
    /// <summary>How long a leaving worker takes for it at most: what is left then is computed again by others.</summary>
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(10);

    /// <summary>Hands over what there is; does nothing where the swarm has no KV cache.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!exchange.IsOpen)
        {
            return;
        }

        using var time = new CancellationTokenSource(Most, clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancellationToken);
        var began = clock.GetTimestamp();
        try
        {
            var blocks = await shards.HandOverBlocksAsync(stop.Token);
            await exchange.FlushAsync(stop.Token);
            LogHandedOver(blocks, clock.GetElapsedTime(began).TotalMilliseconds);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotAll(clock.GetElapsedTime(began).TotalMilliseconds);
        }
    }

    [LoggerMessage(150, LogLevel.Information, "Handed {Blocks} KV blocks over to the KV cache in {Milliseconds:0} ms")]
    private partial void LogHandedOver(int blocks, double milliseconds);

    [LoggerMessage(151, LogLevel.Warning, "Not all KV blocks were handed over to the KV cache within {Milliseconds:0} ms: others compute the rest again")]
    private partial void LogNotAll(double milliseconds);
}
