using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Traffic;

namespace Parallax.FailoverBenchmark;

/// <summary>
/// A worker that has just been started computes slowly until its code is compiled: it is made to work before it is
/// measured, as a spare that has stood by for a while would have. Where processes compile code once and for good
/// (<see cref="CompileAtOnce"/>), one answer is enough.
/// </summary>
internal static class WarmUp
{
    private const int Rounds = 40;
    private static readonly (int Steps, int PromptRows) InTiers = (200, 600);
    private static readonly (int Steps, int PromptRows) AtOnce = (16, 256);
    private static (int Steps, int PromptRows) _enough = InTiers;

    /// <summary>Processes that are started from now on compile each method once, optimised, when it is called first.</summary>
    public static void CompileAtOnce()
    {
        Environment.SetEnvironmentVariable("DOTNET_TieredCompilation", "0"); // children inherit it
        _enough = AtOnce;
    }

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
        return stats.All(static one => one is not null && one.Steps >= _enough.Steps && one.PrefillTokens >= _enough.PromptRows);
    }
}
