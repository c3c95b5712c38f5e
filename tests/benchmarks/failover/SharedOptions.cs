using System.CommandLine;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Chaos.Processes;

namespace Parallax.FailoverBenchmark;

/// <summary>Options that the commands share: the swarm of three stages with a spare for each.</summary>
internal sealed class SharedOptions
{
    private readonly Option<string> _model = ModelOption.Create();
    private readonly Option<int> _stages = new("--stages") { Description = "Stages.", DefaultValueFactory = static _ => 3 };
    private readonly Option<int> _spares = new("--spares") { Description = "Workers more than one for each stage.", DefaultValueFactory = static _ => 1 };
    private readonly Option<int> _threads = new("--threads") { Description = "Compute threads of each worker.", DefaultValueFactory = static _ => 1 };
    private readonly Option<int> _seed = new("--seed") { Description = "The same seed, the same questions and faults.", DefaultValueFactory = static _ => 1 };
    private readonly Option<string[]> _workerOptions = new("--worker-option") { Description = "Passed to each worker as it is; may be repeated.", DefaultValueFactory = static _ => [] };
    private readonly Option<string[]> _routerOptions = new("--router-option") { Description = "Passed to each router as it is; may be repeated.", DefaultValueFactory = static _ => [] };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_model, _stages, _spares, _threads, _seed, _workerOptions, _routerOptions])
        {
            command.Options.Add(option);
        }
    }

    public ulong Seed(ParseResult parsed) => unchecked((ulong)parsed.GetValue(_seed));

    public SwarmPlan Swarm(ParseResult parsed)
    {
        return SwarmPlan.Cut(_model.Read(parsed), _stages.AtLeast(parsed, 1), _spares.AtLeast(parsed, 0)) with
        {
            Threads = _threads.AtLeast(parsed, 1),
            WorkerOptions = [.. parsed.GetRequiredValue(_workerOptions)],
            RouterOptions = [.. parsed.GetRequiredValue(_routerOptions)],
        };
    }
}
