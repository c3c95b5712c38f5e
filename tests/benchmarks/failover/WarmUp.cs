using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Traffic;

namespace Parallax.FailoverBenchmark;

/// <summary>
/// A worker that has just been started computes slowly until its code is compiled: it is made to work before it is
/// measured, as a spare that has stood by for a while would have.
/// </summary>
internal static class WarmUp
{
    private const int Rounds = 40;
    private const int Steps = 200;
    private const int PromptRows = 600;

    /// <summary>Sends requests, several at once so that all workers of a range get some, until each has computed enough.</summary>
    public static async Task RunAsync(LocalSwarm swarm, ChatClient client, ChatQuestion question, CancellationToken cancellationToken)
    {
        for (var round = 0; round < Rounds; round++)
        {
            if (await IsWarmAsync(swarm, cancellationToken))
            {
                return;
            }

            await Task.WhenAll(Enumerable.Range(0, 4).Select(i => client.AskAsync(question, $"warm {Guid.NewGuid()}", null, cancellationToken)));
        }
    }

    private static async Task<bool> IsWarmAsync(LocalSwarm swarm, CancellationToken cancellationToken)
    {
        var stats = await Task.WhenAll(swarm.Workers.Where(static worker => worker.IsUp).Select(worker => swarm.TryStatsAsync(worker.Id, cancellationToken)));
        return stats.All(static one => one is not null && one.Steps >= Steps && one.PrefillTokens >= PromptRows);
    }
}
