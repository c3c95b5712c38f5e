using System.CommandLine;
using Parallax.Hosting;
using Parallax.Testing;

namespace Parallax.SwarmBenchmark;

/// <summary>Options that the commands share.</summary>
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

    private readonly Option<int> _seed = new("--seed") { Description = "The same seed, the same questions.", DefaultValueFactory = static _ => 1 };

    public void AddTo(Command command)
    {
        command.Options.Add(_model);
        command.Options.Add(_seed);
    }

    public ulong Seed(ParseResult parsed) => unchecked((ulong)parsed.GetValue(_seed));

    public string Model(ParseResult parsed)
    {
        var model = parsed.GetRequiredValue(_model);
        OptionsException.ThrowIfAny(Path.Exists(model) ? [] : [$"--model: '{model}' does not exist."]);
        return Path.GetFullPath(model);
    }

    /// <exception cref="OptionsException">Below <paramref name="least"/>.</exception>
    public static int AtLeast(Option<int> option, ParseResult parsed, int least)
    {
        var value = parsed.GetValue(option);
        OptionsException.ThrowIfAny(value >= least ? [] : [$"{option.Name}: {value} is too small; use at least {least}."]);
        return value;
    }
}
