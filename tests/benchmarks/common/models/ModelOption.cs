using System.CommandLine;
using Parallax.Hosting;
using Parallax.Testing;

namespace Parallax.Benchmarks.Common;

/// <summary>Which model a benchmark of processes serves; compiled into the programs that have such.</summary>
internal static class ModelOption
{
    public static Option<string> Create() => new("--model")
    {
        Description = "The model: a folder or .gguf file (default: SmolLM2 of the reference data, else the demo model).",
        DefaultValueFactory = static _ =>
        {
            var smol = TestData.PathOf("models", "smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
            return File.Exists(smol) ? smol : Path.Combine(TestData.RepositoryRoot, "models", "demo");
        },
    };

    /// <summary>Its path.</summary>
    /// <exception cref="OptionsException">There is none.</exception>
    public static string Read(this Option<string> option, ParseResult parsed)
    {
        var model = parsed.GetRequiredValue(option);
        OptionsException.ThrowIfAny(Path.Exists(model) ? [] : [$"--model: '{model}' does not exist."]);
        return Path.GetFullPath(model);
    }

    /// <summary>A number.</summary>
    /// <exception cref="OptionsException">Below <paramref name="least"/>.</exception>
    public static int AtLeast(this Option<int> option, ParseResult parsed, int least)
    {
        var value = parsed.GetValue(option);
        OptionsException.ThrowIfAny(value >= least ? [] : [$"{option.Name}: {value} is too small; use at least {least}."]);
        return value;
    }
}
