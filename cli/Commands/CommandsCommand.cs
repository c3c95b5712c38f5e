using System.CommandLine;
using System.Text.Json;
using Google.Protobuf;
using Parallax.Bus.Commands;
using Parallax.Cli.Swarm;
using Parallax.Contracts.Messages;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Worker.Gpu;

namespace Parallax.Cli.Commands;

/// <summary><c>parallax command ...</c>: operators' commands over a router, written down and followed to their end.</summary>
internal static partial class CommandsCommand
{
    public static Command Create()
    {
        var target = new CommandTarget();
        var command = new ExplainedCommand(
            "command",
            "Give the scheduler commands over a router, and see what became of them.",
            """
            Unlike 'parallax swarm', this needs no member's state folder: a router that runs with --bus takes commands, and they are
            kept until a scheduler has carried them out. A command waits for its end unless --no-wait is given; it ends with exit
            code 1 when it was rejected, or was not complete by its --timeout. The key comes from --key-file or PARALLAX_API_KEY.

            Examples:
              parallax command drain 3f2a91c0
              parallax command retire smollm2-360m-instruct --no-wait
              parallax command status cli-5d0f...
              parallax command list --router http://10.0.0.2:8000
            """)
        {
            CreateDeploy(target),
            CreateSimple(target, "retire", "Serve a model no longer.", CommandKinds.Retire, Model(), static name => new RetireRequest { Model = name }),
            CreateSimple(target, "drain", "Take everything from a worker; complete when it holds nothing.", CommandKinds.Drain, Worker(), static name => new WorkerRequest { WorkerId = name }),
            CreateSimple(target, "remove", "Treat a worker as gone, whatever it says, until it starts anew.", CommandKinds.Remove, Worker(), static name => new WorkerRequest { WorkerId = name }),
            CreatePin(target), CreateUnpin(target), CreateRebalance(target), CreateStatus(target), CreateList(target),
        };
        target.AddTo(command);
        return command;
    }

    private static Argument<string> Model() => new("model") { Description = "The model's name." };

    private static Argument<string> Worker() => new("worker") { Description = "The worker's id, the beginning of it (4 digits at least), or its name." };

    private static Command CreateSimple(CommandTarget target, string name, string description, string kind, Argument<string> subject, Func<string, IMessage> request)
    {
        var command = new Command(name, description) { subject };
        command.SetAction((parsed, _) => target.GiveAsync(parsed, kind, request(parsed.GetValue(subject)!)));
        return command;
    }

    private static Command CreatePin(CommandTarget target)
    {
        var (worker, model) = (Worker(), Model());
        var layers = new Argument<string>("layers") { Description = "START-END, END exclusive." };
        var command = new Command("pin", "Keep layers of a model on a worker, whatever would be better.") { worker, model, layers };
        command.SetAction((parsed, _) =>
        {
            var range = WorkerArguments.ParseLayers(parsed.GetValue(layers)!)
                ?? throw new OptionsException([$"layers: '{parsed.GetValue(layers)}' is no range of layers; use START-END, END exclusive, e.g. 0-10."]);
            var request = new PinRequest { WorkerId = parsed.GetValue(worker)!, Model = parsed.GetValue(model)!, LayerStart = range.Start, LayerEnd = range.End };
            return target.GiveAsync(parsed, CommandKinds.Pin, request);
        });
        return command;
    }

    private static Command CreateUnpin(CommandTarget target)
    {
        var (worker, model) = (Worker(), Model());
        var command = new Command("unpin", "Let pinned layers move again.") { worker, model };
        command.SetAction((parsed, _) => target.GiveAsync(
            parsed, CommandKinds.Unpin, new UnpinRequest { WorkerId = parsed.GetValue(worker)!, Model = parsed.GetValue(model)! }));
        return command;
    }

    private static Command CreateRebalance(CommandTarget target)
    {
        var command = new Command("rebalance", "Take the best plan now, whatever it moves; complete when all of it serves.");
        command.SetAction((parsed, _) => target.GiveAsync(parsed, CommandKinds.Rebalance, new RebalanceRequest()));
        return command;
    }

    private static ExplainedCommand CreateDeploy(CommandTarget target)
    {
        var options = new DeployOptionSet();
        var command = new ExplainedCommand(
            "deploy",
            "Serve a model, or serve it otherwise than before; complete when its shards serve.",
            "Its sizes are read here; its layers are loaded by workers that have the files, or fetch them from workers that do.");
        options.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            options.Validate(parsed);
            return await target.GiveAsync(parsed, CommandKinds.Deploy, new DeployRequest { Model = await options.DescribeAsync(parsed, stop) });
        });
        return command;
    }

    private static Command CreateStatus(CommandTarget target)
    {
        var id = new Argument<string>("id") { Description = "The command's id." };
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        var command = new Command("status", "Where a command stands, and what happened to it.") { id, json };
        command.SetAction((parsed, _) => target.RunAsync(parsed, async (client, stop) =>
        {
            var found = await client.GetAsync(parsed.GetValue(id)!, stop)
                ?? throw new CommandException($"No scheduler knows the command '{parsed.GetValue(id)}'. One that was sent a moment ago may still be on its way.");
            Console.Out.Write(parsed.GetValue(json) ? JsonSerializer.Serialize(found, CommandJson.Default.CommandStatus) + "\n" : CommandText.Details(found));
            return ExitCode.Ok;
        }));
        return command;
    }

    private static Command CreateList(CommandTarget target)
    {
        var most = new Option<int>("--limit") { Description = "How many, newest first.", DefaultValueFactory = static _ => 20, HelpName = "count" };
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        var command = new Command("list", "The latest commands.") { most, json };
        command.SetAction((parsed, _) => target.RunAsync(parsed, async (client, stop) =>
        {
            var found = await client.ListAsync(parsed.GetValue(most), stop);
            Console.Out.Write(parsed.GetValue(json) ? JsonSerializer.Serialize(new CommandPage(found), CommandJson.Default.CommandPage) + "\n" : CommandText.Table(found));
            return ExitCode.Ok;
        }));
        return command;
    }
}
