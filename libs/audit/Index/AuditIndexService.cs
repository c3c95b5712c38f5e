using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Parallax.Runtime;

namespace Parallax.Audit.Index;

/// <summary>Keeps an index up for as long as the host runs; when store or index fail, it tries again.</summary>
public sealed partial class AuditIndexService(AuditReader reader, TimeProvider clock, ILogger<AuditIndexService> logger) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await reader.Index.FollowAsync(reader.Store, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (ParallaxException problem)
            {
                LogBehind(problem.Message);
                await Task.Delay(RetryAfter, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(80, LogLevel.Warning, "The audit's index falls behind: {Problem}")]
    private partial void LogBehind(string problem);
}
