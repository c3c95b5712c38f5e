using System.CommandLine;
using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Worker.Gpu;

namespace Parallax.Cli.Swarm;

/// <summary><c>parallax swarm ...</c>: what operators ask of the scheduler.</summary>
internal static partial class SchedulerCommands
{
    public static Command Create()
    {
        var at = new Option<string?>("--at") { Description = "A member to ask, HOST:PORT; it need not run the scheduler. Default: the one that runs here.", HelpName = "host:port", Recursive = true };
        var state = new Option<string?>("--state") { Description = "State folder of the member whose certificate is shown. Default: the one there is.", HelpName = "folder", Recursive = true };
        return new ExplainedCommand(
            "swarm",
            "Say what the swarm serves and where: deploy and retire models, drain workers, pin layers, see the plan.",
            """
            Commands go to the scheduler that leads, wherever it is. They take the role of an admin or a scheduler, as the founder's
            state folder has it. A WORKER is named by its id, the beginning of it, or its name ('parallax status' shows them).

            Examples:
              parallax swarm plan
              parallax swarm deploy ~/models/SmolLM2-360M-Instruct --ctx 4096
              parallax swarm drain 3f2a91c0
              parallax swarm pin lab-7 smollm2-360m-instruct 0-16
            """)
        {
            at, state,
            CreateDeploy(at, state), CreateRetire(at, state),
            CreateWorkerCommand("drain", "Take everything from a worker as soon as others serve it; until it leaves or starts anew.", at, state, static (scheduler, request, options) => scheduler.DrainAsync(request, options).ResponseAsync),
            CreateWorkerCommand("remove", "Treat a worker as gone, whatever it says, until it starts anew.", at, state, static (scheduler, request, options) => scheduler.RemoveAsync(request, options).ResponseAsync),
            CreatePin(at, state), CreateUnpin(at, state), CreateRebalance(at, state), CreatePlan(at, state),
        };
    }

    private static Argument<string> WorkerArgument() => new("worker") { Description = "The worker's id, the beginning of it, or its name." };

    private static Argument<string> ModelArgument() => new("model") { Description = "The model's name, as 'parallax status' shows it." };

    private static Command CreateRetire(Option<string?> at, Option<string?> state)
    {
        var model = ModelArgument();
        var command = new Command("retire", "Serve a model no longer; its pins go with it.") { model };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(at), parsed.GetValue(state), async (link, stop) =>
        {
            var request = new RetireRequest { CommandId = NewCommand(), Model = parsed.GetValue(model)! };
            Tell(await link.CallAsync((scheduler, options) => scheduler.RetireAsync(request, options).ResponseAsync, stop));
        }));
        return command;
    }

    private static Command CreateWorkerCommand(
        string name,
        string description,
        Option<string?> at,
        Option<string?> state,
        Func<Contracts.V1.Scheduler.SchedulerClient, WorkerRequest, Grpc.Core.CallOptions, Task<CommandReply>> call)
    {
        var worker = WorkerArgument();
        var command = new Command(name, description) { worker };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(at), parsed.GetValue(state), async (link, stop) =>
        {
            var id = WorkerNames.Find(await link.StatusAsync(stop), parsed.GetValue(worker)!);
            var request = new WorkerRequest { CommandId = NewCommand(), WorkerId = id };
            Tell(await link.CallAsync((scheduler, options) => call(scheduler, request, options), stop));
        }));
        return command;
    }

    private static Command CreatePin(Option<string?> at, Option<string?> state)
    {
        var worker = WorkerArgument();
        var model = ModelArgument();
        var layers = new Argument<string>("layers") { Description = "START-END, END exclusive." };
        var command = new Command("pin", "Keep layers of a model on a worker, whatever would be better.") { worker, model, layers };
        command.SetAction((parsed, _) =>
        {
            var range = WorkerArguments.ParseLayers(parsed.GetValue(layers)!)
                ?? throw new OptionsException([$"layers: '{parsed.GetValue(layers)}' is no range of layers; use START-END, END exclusive, e.g. 0-10."]);
            return RunAsync(parsed.GetValue(at), parsed.GetValue(state), async (link, stop) =>
            {
                var request = new PinRequest
                {
                    CommandId = NewCommand(),
                    WorkerId = WorkerNames.Find(await link.StatusAsync(stop), parsed.GetValue(worker)!),
                    Model = parsed.GetValue(model)!,
                    LayerStart = range.Start,
                    LayerEnd = range.End,
                };
                Tell(await link.CallAsync((scheduler, options) => scheduler.PinAsync(request, options).ResponseAsync, stop));
            });
        });
        return command;
    }

    private static Command CreateUnpin(Option<string?> at, Option<string?> state)
    {
        var worker = WorkerArgument();
        var model = ModelArgument();
        var command = new Command("unpin", "Let pinned layers move again.") { worker, model };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(at), parsed.GetValue(state), async (link, stop) =>
        {
            var id = WorkerNames.Find(await link.StatusAsync(stop), parsed.GetValue(worker)!);
            var request = new UnpinRequest { CommandId = NewCommand(), WorkerId = id, Model = parsed.GetValue(model)! };
            Tell(await link.CallAsync((scheduler, options) => scheduler.UnpinAsync(request, options).ResponseAsync, stop));
        }));
        return command;
    }

    private static Command CreateRebalance(Option<string?> at, Option<string?> state)
    {
        var command = new Command("rebalance", "Take the best plan now, whatever it moves.");
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(at), parsed.GetValue(state), async (link, stop) =>
        {
            var request = new RebalanceRequest { CommandId = NewCommand() };
            Tell(await link.CallAsync((scheduler, options) => scheduler.RebalanceAsync(request, options).ResponseAsync, stop));
        }));
        return command;
    }

    private static Command CreatePlan(Option<string?> at, Option<string?> state)
    {
        var json = new Option<bool>("--json") { Description = "As one JSON object: the scheduler's GetPlanReply." };
        var command = new Command("plan", "Who is to hold what, what is expected of it, and why.") { json };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(at), parsed.GetValue(state), async (link, stop) =>
        {
            var reply = await link.CallAsync(static (scheduler, options) => scheduler.GetPlanAsync(new GetPlanRequest(), options).ResponseAsync, stop);
            Console.Out.Write(parsed.GetValue(json) ? JsonFormatter.Default.Format(reply) + "\n" : PlanText.Format(reply, await link.StatusAsync(stop)));
        }));
        return command;
    }

    private static async Task<int> RunAsync(string? at, string? state, Func<SchedulerLink, CancellationToken, Task> run)
    {
        using var signals = new StopSignals();
        using var member = MemberConnection.Open(at, state);
        using var link = new SchedulerLink(member.Credentials, member.Address, SchedulerLink.UsualPatience);
        try
        {
            await run(link, signals.Asked);
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
        {
            return Interruption.ExitCode;
        }
    }

    /// <summary>One id for all attempts of a command, so that it is carried out once.</summary>
    private static string NewCommand() => $"cli-{Guid.NewGuid():n}";

    private static void Tell(CommandReply reply) => Console.Out.Write(PlanText.Format(reply));
}
