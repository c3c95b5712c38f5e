using System.CommandLine;
using Parallax.Hosting;
using Parallax.Placement;
using Parallax.Runtime.Execution;

namespace Parallax.Cli.Plan;

/// <summary><c>parallax plan</c>.</summary>
internal static class PlanCommand
{
    public static Command Create()
    {
        var cluster = new Option<string>("--cluster", "-c") { Description = "A JSON file with the machines.", HelpName = "path", Required = true };
        var model = new Option<string?>("--model", "-m")
        {
            Description = "A model folder, a .gguf file, or a .json file with a model's shape. Default: the bundled demo model.",
            HelpName = "path",
        };
        var residual = SharedOptions.Residual();
        var kvTokens = new Option<int>("--kv-tokens") { Description = "Positions of KV room of each pipeline, over all sessions.", DefaultValueFactory = static _ => 4096, HelpName = "tokens" };
        var batch = new Option<int>("--batch") { Description = "Sessions computed together, for predictions.", DefaultValueFactory = static _ => 8, HelpName = "count" };
        var context = new Option<int>("--ctx") { Description = "Context of a session, for predictions, in tokens.", DefaultValueFactory = static _ => 1024, HelpName = "tokens" };
        var pipelines = new Option<int?>("--max-pipelines") { Description = "Pipelines at most. Default: as many as pay.", HelpName = "count" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new ExplainedCommand(
            "plan",
            "Say which machine would hold which layers of a model, how fast that would be, and why.",
            """
            Nothing is started or changed. The file with the machines:
              { "nodes": [ { "id": "a", "memory_gib": 24, "tflops": 80, "bandwidth_gbps": 1000 }, ... ] }
            and, each optional, per node "region", "domain" (what fails together), "draining", "weights_gib"; beside the nodes
              "rtts": [ { "from": "a", "to": "b", "ms": 3 } ], "unreachable": [ ["a", "b"] ],
              "holds": [ { "node": "a", "layers": [0, 10] } ]    what is there already: the fewest moves are planned

            Examples:
              parallax plan --cluster cluster.json --model SmolLM2-135M-Instruct.Q4_1.gguf
              parallax plan --cluster cluster.json --batch 32 --json
            """)
        {
            cluster, model, residual, kvTokens, batch, context, pipelines, json,
        };
        command.SetAction(parsed =>
        {
            var errors = new List<string>();
            AddIfLess(errors, "--kv-tokens", parsed.GetValue(kvTokens), 0);
            AddIfLess(errors, "--batch", parsed.GetValue(batch), 1);
            AddIfLess(errors, "--ctx", parsed.GetValue(context), 0);
            AddIfLess(errors, "--max-pipelines", parsed.GetValue(pipelines) ?? 1, 1);
            OptionsException.ThrowIfAny(errors);
            var machines = ClusterFile.Load(parsed.GetValue(cluster)!);
            var precision = parsed.GetValue(residual) == "f32" ? ResidualPrecision.F32 : ResidualPrecision.BF16;
            var demand = new ModelDemand(ModelDescriptions.Read(ModelLocation.Resolve(parsed.GetValue(model)), precision))
            {
                KvTokens = parsed.GetValue(kvTokens),
                Batch = parsed.GetValue(batch),
                Context = parsed.GetValue(context),
                MaxPipelines = parsed.GetValue(pipelines),
            };
            var report = Report(demand, machines);
            Console.Out.Write(parsed.GetValue(json) ? report.ToJson() : report.ToText());
            return report.Plan.Shortages.IsEmpty ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    private static PlanReport Report(ModelDemand demand, ClusterFile machines)
    {
        var options = new AllocationOptions();
        if (machines.Holds.IsEmpty)
        {
            return new PlanReport(Allocator.Allocate([demand], machines.Snapshot, options), null);
        }

        var next = Allocator.Replan(
            [demand], machines.Snapshot, [.. machines.Holds.Select(one => new Assignment(one.Node, demand.Shape.Name, one.Range))], options);
        return new PlanReport(next.Plan, next.Moves);
    }

    private static void AddIfLess(List<string> errors, string option, int value, int least)
    {
        if (value < least)
        {
            errors.Add($"{option}: {value} is less than {least}.");
        }
    }
}
