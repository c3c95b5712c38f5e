using System.CommandLine;
using Parallax.Benchmarks.Common;

namespace Parallax.SwarmBenchmark;

/// <summary>Options that the commands share.</summary>
internal sealed class SharedOptions
{
    private readonly Option<string> _model = ModelOption.Create();
    private readonly Option<int> _seed = new("--seed") { Description = "The same seed, the same questions.", DefaultValueFactory = static _ => 1 };

    public void AddTo(Command command)
    {
        command.Options.Add(_model);
        command.Options.Add(_seed);
    }

    public ulong Seed(ParseResult parsed) => unchecked((ulong)parsed.GetValue(_seed));

    public string Model(ParseResult parsed) => _model.Read(parsed);
}
