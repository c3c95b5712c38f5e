using System.CommandLine;
using Parallax.Contracts.V1;

namespace Parallax.Cli.Swarm;

internal static partial class SchedulerCommands
{
    private static ExplainedCommand CreateDeploy(Option<string?> at, Option<string?> state)
    {
        var options = new DeployOptionSet();
        var command = new ExplainedCommand(
            "deploy",
            "Serve a model, or serve it otherwise than before.",
            """
            Its sizes are read here; its layers are loaded by workers that have the files, or fetch them from workers that do. Name the
            files with --model at 'parallax run --listen' or 'parallax join' on one machine at least. Pins stay as they are.
            """);
        options.AddTo(command);
        command.SetAction((parsed, _) =>
        {
            options.Validate(parsed);
            return RunAsync(parsed.GetValue(at), parsed.GetValue(state), async (link, stop) =>
                await DeployAsync(link, await options.DescribeAsync(parsed, stop), stop));
        });
        return command;
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
}
