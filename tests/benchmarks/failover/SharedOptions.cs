using System.CommandLine;
using Parallax.Cli.Chaos.Processes;
using Parallax.Hosting;
using Parallax.Testing;

namespace Parallax.FailoverBenchmark;

/// <summary>Options that the commands share: the swarm of three stages with a spare for each.</summary>
internal sealed class SharedOptions
{
    private readonly Option<string> _model = new("--model")
    {
        Description = "The model: a folder or .gguf file (default: SmolLM2 of the reference data, else the demo model).",
        DefaultValueFactory = static _ =>
        {
            var smol = TestData.PathOf("models", "smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
            return File.Exists(smol) ? smol : Path.Combine(TestData.RepositoryRoot, "models", "demo");
        },
    };

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
        var model = parsed.GetRequiredValue(_model);
        OptionsException.ThrowIfAny(Path.Exists(model) ? [] : [$"--model: '{model}' does not exist."]);
        return SwarmPlan.Cut(model, AtLeast(_stages, parsed, 1), AtLeast(_spares, parsed, 0)) with
        {
            Threads = AtLeast(_threads, parsed, 1),
            WorkerOptions = [.. parsed.GetRequiredValue(_workerOptions)],
            RouterOptions = [.. parsed.GetRequiredValue(_routerOptions)],
        };
    }

    /// <exception cref="OptionsException">Below <paramref name="least"/>.</exception>
    public static int AtLeast(Option<int> option, ParseResult parsed, int least)
    {
        var value = parsed.GetValue(option);
        OptionsException.ThrowIfAny(value >= least ? [] : [$"{option.Name}: {value} is too small; use at least {least}."]);
        return value;
    }
}
