using System.CommandLine;
using System.CommandLine.Help;
using Parallax.KvCache;
using Parallax.Router;
using Parallax.Scheduler;
using Parallax.Worker.Gpu;

namespace Parallax.Cli.Services;

/// <summary><c>parallax worker</c>, <c>router</c>, <c>scheduler</c> and <c>kvcache</c>: the services' own command lines.</summary>
internal static class ServiceCommands
{
    /// <summary><c>parallax worker</c>.</summary>
    public static Command CreateWorker() => Under(
        "worker",
        WorkerCommand.Create(static (options, join, _) => UntilStoppedAsync(stop => WorkerProgram.RunAsync(options, join, stop))),
        """
        Examples:
          parallax worker --model models/demo --port 7101
          parallax worker --model models/demo --layers 0-4 --id a --port 7101
          parallax worker --model models/demo --stages map.json --id a
          parallax worker --no-model --memory 4GiB
        """);

    /// <summary><c>parallax router</c>.</summary>
    public static Command CreateRouter() => Under(
        "router",
        RouterCommand.Create(static (model, options, join, _) => UntilStoppedAsync(stop => RouterProgram.RunAsync(model, options, join, stop))),
        """
        Examples:
          parallax router --model models/demo --worker http://127.0.0.1:7101
          parallax router --model models/demo --join 10.0.0.2:7100 --token plx1_...      (a token with the role router)
        """);

    /// <summary><c>parallax scheduler</c>.</summary>
    public static Command CreateScheduler() => Under(
        "scheduler",
        SchedulerCommand.Create(static (options, join, _) => UntilStoppedAsync(stop => SchedulerProgram.RunAsync(options, join, stop))),
        """
        Example, a second scheduler that stands by (a token with the role scheduler; the same store on the same machine):
          parallax scheduler --join 127.0.0.1:7100 --token plx1_... --store ~/.config/parallax/swarm/scheduler.db
        """);

    /// <summary><c>parallax kvcache</c>.</summary>
    public static Command CreateKvCache() => Under(
        "kvcache",
        KvCacheCommand.Create(static (options, join, _) => UntilStoppedAsync(stop => KvCacheProgram.RunAsync(options, join, stop))),
        """
        Example (a token with the role kvcache; more of them on other machines share the blocks):
          parallax kvcache --join 10.0.0.2:7100 --token plx1_... --memory 8GiB --folder /var/cache/parallax --disk 200GiB
        """);

    /// <summary>A service's root command as one of ours: its options and its action, our help.</summary>
    private static ExplainedCommand Under(string name, RootCommand service, string details)
    {
        var command = new ExplainedCommand(name, service.Description ?? "", details) { Action = service.Action };
        foreach (var option in service.Options.Where(static option => option is not (HelpOption or VersionOption)))
        {
            command.Options.Add(option);
        }

        return command;
    }

    private static async Task<int> UntilStoppedAsync(Func<CancellationToken, Task<int>> run)
    {
        using var signals = new StopSignals();
        try
        {
            return await run(signals.Asked);
        }
        catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
        {
            return Interruption.ExitCode;
        }
    }
}
