using Parallax.Worker.Gpu.Shards;

namespace Parallax.Worker.Gpu.Blocks;

/// <summary>Tells the log, now and then, that blocks could not be fetched or were not sound: requests do not suffer from it, and somebody should know.</summary>
internal sealed partial class RestoreWatch(ShardHost shards, TimeProvider clock, ILogger<RestoreWatch> logger) : BackgroundService
{
    /// <summary>A failing cache is named so often at most.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (failures, refused) = (0L, 0L);
        using var looks = new PeriodicTimer(LookEvery, clock);
        try
        {
            while (await looks.WaitForNextTickAsync(stoppingToken))
            {
                var stats = shards.ReadStats();
                if (stats.RestoreFailures > failures || stats.BlocksRefused > refused)
                {
                    LogFault(stats.RestoreFailures - failures, stats.BlocksRefused - refused, stats.RestoreFault ?? "no reason was kept");
                }

                (failures, refused) = (stats.RestoreFailures, stats.BlocksRefused);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The worker stops.
        }
    }

    [LoggerMessage(152, LogLevel.Warning, "KV blocks from the KV cache: {Failures} fetches failed or were late, {Refused} blocks were not sound; the last: {Fault}. What is missing is computed")]
    private partial void LogFault(long failures, long refused, string fault);
}
