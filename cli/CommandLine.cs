using System.CommandLine;
using System.CommandLine.Invocation;
using Parallax.Cli.Audit;
using Parallax.Cli.Bench;
using Parallax.Cli.Chaos;
using Parallax.Cli.Chat;
using Parallax.Cli.Commands;
using Parallax.Cli.Inspect;
using Parallax.Cli.Keys;
using Parallax.Cli.Plan;
using Parallax.Cli.Run;
using Parallax.Cli.Services;
using Parallax.Cli.Shards;
using Parallax.Cli.Status;
using Parallax.Cli.Swarm;
using Parallax.Cli.Tokens;

namespace Parallax.Cli;

/// <summary>The whole command line.</summary>
internal static class CommandLine
{
    /// <summary>Commands, options and their help.</summary>
    public static Command Create()
    {
        // Not a RootCommand: that one calls itself after the program's file.
        var root = new Command(
            "parallax",
            """
            Parallax serves a large language model.

            Begin with:
              parallax run            serve the bundled demo model on http://127.0.0.1:8000
              parallax chat           talk to it (in a second terminal)
              parallax run --help     how to serve another model

            On several machines:
              parallax run --listen 0.0.0.0:7100     on the first; it prints the line for the others
              parallax join HOST:7100 --token ...    on each of the others
              parallax status --watch                who is there and what they do

            Exit codes: 0 done or stopped as asked, 1 failed, 2 wrong command line, 3 the model cannot be used,
            4 the device is not available, 5 the address to listen on cannot be had, 130 interrupted before it was done.
            """)
        {
            RunCommand.Create(),
            ChatCommand.Create(),
            BenchCommand.Create(),
            ChaosCommand.Create(),
            InfoCommand.Create(),
            TokenizeCommand.Create(),
            ServiceCommands.CreateWorker(),
            ServiceCommands.CreateRouter(),
            ServiceCommands.CreateScheduler(),
            ServiceCommands.CreateKvCache(),
            ShardsCommand.Create(),
            FoundCommand.Create(),
            JoinCommand.Create(),
            LeaveCommand.Create(),
            StatusCommand.Create(),
            SchedulerCommands.Create(),
            CommandsCommand.Create(),
            TokenCommand.Create(),
            KeyCommand.Create(),
            PeerCommand.Create(),
            PlanCommand.Create(),
            AuditCommand.Create(),
        };
        var help = ExplainedCommand.CreateHelp();
        root.Options.Add(help);
        root.Options.Add(new VersionOption());
        root.SetAction(parsed => ((SynchronousCommandLineAction)help.Action!).Invoke(parsed));
        return root;
    }
}
