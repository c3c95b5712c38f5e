using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.ModelFiles.Storage;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Cli.Swarm;

internal static partial class SchedulerCommands
{
    private static ExplainedCommand CreateDeploy(Option<string?> at, Option<string?> state)
    {
        var model = new Argument<string>("model") { Description = "A model on this machine, file or folder, or a hub's owner/name, which is downloaded to here." };
        var context = new Option<int?>("--ctx") { Description = "Greatest length of prompt and answer together, in tokens. Default: the model's own, at most 4096.", HelpName = "tokens" };
        var kvTokens = new Option<int?>("--kv-tokens") { Description = "Positions of KV room of each pipeline. Default: by context and batch, at most 128 MiB.", HelpName = "count" };
        var batch = new Option<int?>("--max-batch") { Description = "Requests that are computed together; others wait. Default: 16.", HelpName = "count" };
        var pipelines = new Option<int?>("--max-pipelines") { Description = "Pipelines at most. Default: as many as pay.", HelpName = "count" };
        var residual = SharedOptions.Residual();
        var command = new ExplainedCommand(
            "deploy",
            "Serve a model, or serve it otherwise than before.",
            """
            Its sizes are read here; its layers are loaded by workers that have the files, or fetch them from workers that do. Name the
            files with --model at 'parallax run --listen' or 'parallax join' on one machine at least. Pins stay as they are.
            """)
        {
            model, context, kvTokens, batch, pipelines, residual,
        };
        command.SetAction((parsed, _) =>
        {
            var errors = new List<string>();
            RequireAtLeast(errors, "--ctx", parsed.GetValue(context), 2);
            RequireAtLeast(errors, "--kv-tokens", parsed.GetValue(kvTokens), 1);
            RequireAtLeast(errors, "--max-batch", parsed.GetValue(batch), 1);
            RequireAtLeast(errors, "--max-pipelines", parsed.GetValue(pipelines), 1);
            OptionsException.ThrowIfAny(errors);
            return RunAsync(parsed.GetValue(at), parsed.GetValue(state), async (link, stop) =>
            {
                var path = await HubModel.ResolveAsync(parsed.GetValue(model)!, Console.Error, stop);
                var request = new ShardRequest
                {
                    ModelPath = path,
                    Residual = parsed.GetValue(residual) == "f32" ? ResidualPrecision.F32 : ResidualPrecision.BF16,
                    ContextLimit = parsed.GetValue(context),
                    KvTokens = parsed.GetValue(kvTokens),
                    MaxBatch = parsed.GetValue(batch),
                };
                var planned = await DescribeAsync(request, stop);
                planned.MaxPipelines = parsed.GetValue(pipelines) ?? 0;
                await DeployAsync(link, planned, stop);
            });
        });
        return command;
    }

    private static async Task<PlannedModel> DescribeAsync(ShardRequest request, CancellationToken stop)
    {
        await using var store = new ModelStore(new ModelStoreOptions { Paths = [request.ModelPath] }, TimeProvider.System, NullLogger<ModelStore>.Instance);
        return ServedDescription.Describe(request, threads: null, await store.AddAsync(request.ModelPath, stop));
    }

    private static async Task DeployAsync(SchedulerLink link, PlannedModel planned, CancellationToken stop)
    {
        var request = new DeployRequest { CommandId = NewCommand(), Model = planned };
        var reply = await link.CallAsync((scheduler, options) => scheduler.DeployAsync(request, options).ResponseAsync, stop);
        Console.Out.WriteLine($"{planned.Shape.Name} is to be served: {planned.Shape.Layers.Count} layers, weights {planned.Shape.WeightsHash[..8]}.");
        Tell(reply);
        var status = await link.StatusAsync(stop);
        if (!status.Workers.Any(worker => worker.Models.Any(held => held.WeightsHash == planned.Shape.WeightsHash)))
        {
            Console.Error.WriteLine("No worker has said yet that it has these files. If none has, nothing can be loaded: name them with --model when a worker starts.");
        }
    }

    private static void RequireAtLeast(List<string> errors, string option, int? value, int least)
    {
        if (value < least)
        {
            errors.Add($"{option}: {value} is less than {least}.");
        }
    }
}
