using System.CommandLine;
using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Chaos;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Report;
using Parallax.Cli.Chaos.Traffic;
using Parallax.Hosting;

namespace Parallax.FailoverBenchmark.Soak;

/// <summary><c>soak</c>: many kills at random, every answer compared with that of another cut.</summary>
internal static class SoakCommand
{
    public static RootCommand Create()
    {
        var shared = new SharedOptions();
        var kills = new Option<int>("--kills") { Description = "Kills.", DefaultValueFactory = static _ => 1000 };
        var rate = new Option<double>("--rate") { Description = "Kills a second, on average.", DefaultValueFactory = static _ => 0.5 };
        var clients = new Option<int>("--clients") { Description = "Clients at once.", DefaultValueFactory = static _ => 4 };
        var tokens = new Option<int>("--tokens") { Description = "Tokens of each answer.", DefaultValueFactory = static _ => 160 };
        var command = new RootCommand("Random kills of any worker at any time: nothing may be lost, changed, stuck or left behind.") { kills, rate, clients, tokens };
        shared.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var swarm = shared.Swarm(parsed);
            var seed = shared.Seed(parsed);
            OptionsException.ThrowIfAny(parsed.GetValue(rate) > 0 ? [] : ["--rate: use more than 0."]);
            var roles = swarm.Stages > 2 ? (VictimRole[])[VictimRole.Head, VictimRole.Middle, VictimRole.Tail, VictimRole.Random] : [VictimRole.Random];
            var faults = FaultSchedule.Draw(new FaultPlan(
                seed, parsed.GetValue(rate), [FaultKind.Kill], [.. roles.Select(static role => new Victim(role))], swarm.Stages));
            var plan = new ChaosPlan(swarm, new TrafficSettings { Clients = clients.AtLeast(parsed, 1) }, faults)
            {
                Reference = SwarmPlan.Cut(swarm.Model, stages: 1, spares: 0) with { Threads = swarm.Threads },
                MostFaults = kills.AtLeast(parsed, 1),
                AnswerTokens = tokens.AtLeast(parsed, 2),
                Questions = 16,
                Seed = seed,
            };
            var progress = new ChaosProgress(Console.Error, Console.IsErrorRedirected);
            var report = await new ChaosRun(plan, TimeProvider.System, progress).RunAsync(cancellationToken);
            progress.End();
            Write(Console.Out, report);
            return report.IsGood ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    private static void Write(TextWriter output, ChaosReport report)
    {
        output.Write(report.ToText());
        ReportText.WriteTable(
            output,
            ["killed", "kills", "gap (ms) p50 / p95 / max"],
            report.Gaps.Select(static row => (string[])[row.Place, row.Faults.ToString(CultureInfo.InvariantCulture), Markdown.Spread(row.Gaps)]));
    }
}
