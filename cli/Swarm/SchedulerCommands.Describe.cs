using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Cli.Swarm;

internal static partial class SchedulerCommands
{
    /// <summary>A model as a deployment names it, read here; also for commands that go another way.</summary>
    public static async Task<PlannedModel> DescribeAsync(
        string model, string residual, int? context, int? kvTokens, int? batch, int? pipelines, CancellationToken stop)
    {
        var planned = await DescribeAsync(
            new ShardRequest
            {
                ModelPath = await HubModel.ResolveAsync(model, Console.Error, stop),
                Residual = residual == "f32" ? ResidualPrecision.F32 : ResidualPrecision.BF16,
                ContextLimit = context,
                KvTokens = kvTokens,
                MaxBatch = batch,
            },
            stop);
        planned.MaxPipelines = pipelines ?? 0;
        return planned;
    }
}
