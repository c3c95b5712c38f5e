using System.CommandLine;
using Parallax.Hosting;
using Parallax.Testing;

namespace Parallax.PipelineBenchmark;

/// <summary>Options that the commands share.</summary>
internal static class BenchmarkOptions
{
    public static Option<string> Model() => new("--model")
    {
        Description = "The model: a folder or .gguf file (default: SmolLM2 of the reference data, else the demo model).",
        DefaultValueFactory = static _ =>
        {
            var smol = TestData.PathOf("models", "smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
            return File.Exists(smol) ? smol : Path.Combine(TestData.RepositoryRoot, "models", "demo");
        },
    };

    public static Option<int?> Threads() => new("--threads") { Description = "Compute threads of each worker (default: the cores, divided by the stages, at least one)." };

    public static Option<int> Tokens(int standard) => new("--tokens") { Description = "Tokens that each client generates.", DefaultValueFactory = _ => standard };

    public static Option<int> Rounds() => new("--rounds") { Description = "Measurements of each configuration; they take turns.", DefaultValueFactory = static _ => 5 };

    /// <summary>A list like 1,2,4.</summary>
    public static Option<string> List(string name, string standard, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => standard };

    /// <exception cref="OptionsException">Not a list of whole numbers from <paramref name="least"/> on.</exception>
    public static IReadOnlyList<int> ParseList(string name, string text, int least)
    {
        var numbers = text.Split(',').Select(word => int.TryParse(word, out var number) ? number : -1).ToList();
        OptionsException.ThrowIfAny(numbers.TrueForAll(number => number >= least) ? [] : [$"{name}: '{text}' is not a list like 1,2,4 of numbers from {least} on."]);
        return numbers;
    }

    /// <exception cref="OptionsException">Below <paramref name="least"/>.</exception>
    public static int AtLeast(string name, int value, int least)
    {
        OptionsException.ThrowIfAny(value >= least ? [] : [$"{name}: {value} is too small; use at least {least}."]);
        return value;
    }

    /// <summary>Threads of each worker when none are named: the cores are shared out.</summary>
    public static int ThreadsOf(int? named, int stages) => named ?? Math.Max(1, Environment.ProcessorCount / stages);
}
