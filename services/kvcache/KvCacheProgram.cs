using Parallax.Hosting;
using Parallax.Hosting.Status;
using Parallax.Swarm.Joining;

namespace Parallax.KvCache;

/// <summary>An instance of the KV cache as a process: a member of a swarm.</summary>
internal static class KvCacheProgram
{
    /// <summary>Serves until cancelled; says goodbye and writes what is only in memory when it stops.</summary>
    public static async Task<int> RunAsync(KvCacheOptions options, JoinSwarm? join, CancellationToken stop)
    {
        OptionsException.ThrowIfAny(options.Validate());
        if (join is null)
        {
            throw new OptionsException(["--join: name a member of the swarm, HOST:PORT. A KV cache serves the workers of a swarm."]);
        }

        await using var status = await StatusServer.StartAsync(options.Status, stop);
        await using var instance = await KvCacheInstance.StartAsync(options, join, stop);
        status?.Watch(() => stop.IsCancellationRequested ? "It is stopping." : null);
        await Console.Out.WriteLineAsync($"kvcache listens on {instance.Address}");
        await Console.Out.FlushAsync(CancellationToken.None);
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await instance.StopAsync();
        return ExitCode.Ok;
    }
}
