using Parallax.Contracts.Identifiers;
using System.Diagnostics;
using System.Globalization;
using Parallax.Pipeline.Stages;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Sampling;
using Parallax.Testing;
using Parallax.Testing.Pipeline;

namespace Parallax.TransportBenchmark.Journals;

/// <summary>
/// What it costs to keep hidden states: the same answers from a ring of three stages whose journals drop what has been
/// acknowledged as soon as they can, keep it in memory, or write it to files. The three take turns in rounds, and the
/// ratio is that of each round.
/// </summary>
internal static class JournalCost
{
    private const int Stages = 3;
    private const int Rounds = 7;

    public static int Run(int sessions, int promptTokens, int tokens)
    {
        var path = TestData.PathOf("models", "smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
        using var model = ModelSource.Open(File.Exists(path) ? path : Path.Combine(TestData.RepositoryRoot, "models", "demo"));
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var folder = Directory.CreateTempSubdirectory("parallax-journal-cost-");
        try
        {
            Print($"{model.DisplayName}, {Stages} stages on one thread, {sessions} sessions of {promptTokens} + {tokens} tokens, rows of {model.Spec.HiddenSize * 2} bytes");
            Measure(() => Load(model, backend, sessions * (promptTokens + tokens + KvGroup.BlockTokens)), folder.FullName, Prompts(sessions, promptTokens), tokens);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        JournalRows.Measure(rowBytes: 8192);
        return 0;
    }

    private static void Measure(Func<IModelShard[]> load, string folder, int[][] prompts, int tokens)
    {
        var options = new StageEngineOptions { MicroBatches = 1, JournalBytes = 1 << 20 };
        (string Name, StageEngineOptions Options)[] modes =
        [
            ("dropped", options),
            ("kept", options with { JournalBytes = 256L << 20 }),
            ("spilled", options with { JournalSpillFolder = folder }),
        ];
        var seconds = modes.Select(static _ => new List<double>()).ToArray();
        var processor = modes.Select(static _ => new List<double>()).ToArray();
        var held = new long[modes.Length];
        var written = new long[modes.Length];
        int[][]? answers = null;
        for (var round = -1; round < Rounds; round++)
        {
            for (var turn = 0; turn < modes.Length; turn++)
            {
                var mode = (turn + round + 1) % modes.Length;
                using var ring = new MemoryRing(load(), static () => new GreedySampling(), seed: round, modes[mode].Options);
                var (began, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                var open = prompts.Select((prompt, i) => ring.Open(prompt, new SamplingParameters { MaxTokens = tokens, Temperature = 0 }, arrival: i + 1)).ToArray();
                if (ring.Run(int.MaxValue) is { } fault)
                {
                    throw new InvalidOperationException(fault);
                }

                var (time, used) = (Stopwatch.GetElapsedTime(began), Environment.CpuUsage.TotalTime - cpu);
                var given = open.Select(static session => session.Sink.Tokens).ToArray();
                (held[mode], written[mode]) = (ring.Loops.Sum(static loop => loop.JournalBytes), ring.Loops.Sum(static loop => loop.Spill?.WrittenBytes ?? 0));
                answers ??= given;
                if (!answers.Zip(given).All(static pair => pair.First.SequenceEqual(pair.Second)))
                {
                    throw new InvalidOperationException($"'{modes[mode].Name}' answers otherwise than the first.");
                }

                if (round >= 0)
                {
                    seconds[mode].Add(time.TotalSeconds);
                    processor[mode].Add(used.TotalSeconds);
                }
            }
        }

        var rows = prompts.Sum(static prompt => prompt.Length) + (prompts.Length * tokens);
        Print($"{"journals",-9} {"rows/s",8} {"ratio (least to most)",24} {"of processor time",24} {"held",10} {"written",9}");
        for (var mode = 0; mode < modes.Length; mode++)
        {
            Print($"{modes[mode].Name,-9} {rows / Median(seconds[mode]),8:F0} {Ratios(seconds, mode),24} {Ratios(processor, mode),24} {held[mode] / 1048576.0,6:F1} MiB {written[mode] / 1048576.0,5:F1} MiB");
        }
    }

    private static IModelShard[] Load(ModelSource model, IComputeBackend backend, int kvTokens)
    {
        var layers = model.Spec.Layers.Length;
        return [.. Enumerable.Range(0, Stages).Select(i => ModelShard.Load(
            model.Spec,
            model.Weights,
            backend,
            new ModelShardOptions
            {
                Range = new LayerRange(i * layers / Stages, (i + 1) * layers / Stages),
                KvTokens = kvTokens,
                WeightsHash = model.WeightsHash,
            }))];
    }

    /// <summary>Throughput by that of the first mode.</summary>
    private static string Ratios(List<double>[] times, int mode)
    {
        double[] ratios = [.. times[0].Zip(times[mode], static (first, own) => first / own).Order()];
        return string.Create(CultureInfo.InvariantCulture, $"{ratios[ratios.Length / 2]:F3} ({ratios[0]:F3} to {ratios[^1]:F3})");
    }

    private static int[][] Prompts(int sessions, int length)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, sessions).Select(_ => Enumerable.Range(0, length).Select(_ => 100 + random.Next(40_000)).ToArray())];
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Print(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
