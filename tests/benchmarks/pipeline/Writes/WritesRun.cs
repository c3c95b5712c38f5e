using System.Diagnostics;
using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Bench;
using Parallax.PipelineBenchmark.Load;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.PipelineBenchmark.Writes;

/// <summary>
/// Decoding with and without an exchange that takes every block, by turns, so that what else the machine does meets both:
/// tokens per second after the first token, and pauses between tokens.
/// </summary>
internal sealed class WritesRun(string model, IReadOnlyList<int> clients, int? threads, int prompt, int tokens, int rounds)
{
    private int _seed;

    public async Task<int> RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        ReportText.WriteHead(output, $"Background writes of KV blocks: {Path.GetFileName(model)}, prompts of {prompt}, {tokens} tokens");
        var exchange = new TakesAll();
        await using var plain = Load(null);
        await using var writing = Load(new BlockExchangeOptions { Exchange = exchange });
        await MeasureAsync(plain.Engine, 1, cancellationToken);
        await MeasureAsync(writing.Engine, 1, cancellationToken);
        var rows = new List<IReadOnlyList<string>>();
        foreach (var count in clients)
        {
            var (without, with, ratios) = (new Series(), new Series(), new Series());
            var (pausesWithout, pausesWith) = (new List<double>(), new List<double>());
            var bytes = exchange.Bytes;
            for (var round = 0; round < rounds; round++)
            {
                // The order changes from round to round: whoever is second finds a warmer machine.
                var first = round % 2 == 0 ? plain : writing;
                var second = round % 2 == 0 ? writing : plain;
                var (a, pausesA) = await MeasureAsync(first.Engine, count, cancellationToken);
                var (b, pausesB) = await MeasureAsync(second.Engine, count, cancellationToken);
                var ((rateWithout, p), (rateWith, q)) = round % 2 == 0 ? ((a, pausesA), (b, pausesB)) : ((b, pausesB), (a, pausesA));
                without.Add(rateWithout);
                with.Add(rateWith);
                ratios.Add(rateWith / rateWithout);
                pausesWithout.AddRange(p);
                pausesWith.AddRange(q);
            }

            rows.Add(
            [
                count.ToString(CultureInfo.InvariantCulture),
                Figures.Text(without, "0.0"),
                Figures.Text(with, "0.0"),
                Figures.Text(ratios, "0.000"),
                Quantiles(pausesWithout),
                Quantiles(pausesWith),
                ((exchange.Bytes - bytes) / 1048576.0 / rounds).ToString("0.0", CultureInfo.InvariantCulture),
            ]);
        }

        ReportText.WriteTable(
            output,
            ["sessions", "tokens/s without", "tokens/s with", "ratio", "ms between tokens without: p50, p99", "with", "MiB offered a round"],
            rows);
        var stats = writing.Engine.ReadStats();
        output.WriteLine($"{stats.BlocksOffered} blocks offered, {stats.BlocksDropped} left out.");
        return 0;
    }

    private LocalEngine Load(BlockExchangeOptions? blocks) => LocalEngine.Load(
        new LocalEngineOptions { ModelPath = model, Threads = threads, ContextLimit = 4096, Executor = new ExecutorOptions { Blocks = blocks } },
        new TokenSamplerFactory());

    private async Task<(double TokensPerSecond, List<double> Pauses)> MeasureAsync(Executor engine, int count, CancellationToken cancellationToken)
    {
        var sessions = Enumerable.Range(0, count).Select(_ => new DecodeSession(engine, Prompt(engine.Info.VocabularySize), tokens)).ToArray();
        await Task.WhenAll(sessions.Select(session => session.RunAsync(cancellationToken)));
        var begin = sessions.Max(static session => session.Times[0]);
        var end = sessions.Min(static session => session.Times[^1]);
        var within = sessions.Sum(session => session.Times.Count(time => time > begin && time <= end));
        var pauses = sessions.SelectMany(static session => session.Times.Zip(session.Times.Skip(1), static (a, b) => Stopwatch.GetElapsedTime(a, b).TotalMilliseconds));
        return (within / Stopwatch.GetElapsedTime(begin, end).TotalSeconds, [.. pauses]);
    }

    /// <summary>Never the same twice, so that no prefix is cached.</summary>
    private int[] Prompt(int vocabulary)
    {
        var random = new Random(++_seed);
        return [.. Enumerable.Range(0, prompt).Select(_ => random.Next(vocabulary))];
    }

    private static string Quantiles(List<double> values)
    {
        values.Sort();
        return string.Create(CultureInfo.InvariantCulture, $"{values[values.Count / 2]:0.00}, {values[values.Count * 99 / 100]:0.00}");
    }
}
