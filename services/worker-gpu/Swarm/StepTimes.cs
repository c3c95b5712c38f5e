using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>What an engine has measured of its steps, as a worker's record tells routers and schedulers. Pure.</summary>
internal static class StepTimes
{
    /// <summary>Writes one engine's measurements into the record of its shard, in place of what stood there.</summary>
    public static void Write(EngineStats stats, ServingShard shard)
    {
        shard.DecodeSteps.Clear();
        foreach (var step in stats.DecodeSteps)
        {
            shard.DecodeSteps.Add(new StepTime { Batch = step.Batch, Milliseconds = step.Milliseconds });
        }

        shard.PrefillMsPerToken = stats.PrefillMsPerToken;
        shard.RestoreMsPerToken = stats.RestoreMsPerToken;
    }
}
