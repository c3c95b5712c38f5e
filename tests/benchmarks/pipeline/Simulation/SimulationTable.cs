using System.Globalization;
using Parallax.Runtime.Models;
using Parallax.Testing.Pipeline;

namespace Parallax.PipelineBenchmark.Simulation;

/// <summary>Simulates rings of a model's stages and prints what comes out.</summary>
internal static class SimulationTable
{
    private const int MostStages = 6;

    // 1 Gbit/s.
    private const double BytesPerMs = 125_000;

    private static readonly int[] Sessions = [1, 8, 16, 32];
    private static readonly double[] RoundTrips = [0, 5, 20, 100];

    public static void PrintCosts(ModelSource model, LayerCosts costs)
    {
        Print($"{model.DisplayName}: {costs.Layers} layers, hidden {model.Spec.HiddenSize}, vocabulary {model.Spec.VocabularySize}; milliseconds per step on one thread");
        Print($"{"rows",5} {"a layer",9} {"embedding",9} {"LM head",9} {"all",9} {"rows/s",8}");
        for (var i = 0; i < LayerCosts.Rows.Length; i++)
        {
            var all = (costs.Layers * costs.Layer[i]) + costs.Embedding[i] + costs.Head[i];
            Print($"{LayerCosts.Rows[i],5} {costs.Layer[i],9:F3} {costs.Embedding[i],9:F3} {costs.Head[i],9:F3} {all,9:F2} {1000 * LayerCosts.Rows[i] / all,8:F0}");
        }

        Print($"");
    }

    public static void PrintRings(LayerCosts costs)
    {
        Print($"Each stage has a machine of its own; links of 1 Gbit/s with the given round trip (ms). tok/s: of all sessions; busy: of the stages on average, and of the busiest, in %; p99: between a session's tokens, ms.");
        foreach (var roundTrip in RoundTrips)
        {
            PrintHeader($"round trip {roundTrip} ms");
            for (var stages = 1; stages <= Math.Min(MostStages, costs.Layers); stages++)
            {
                // One stage has no links.
                if (stages == 1 && roundTrip > 0)
                {
                    continue;
                }

                foreach (var sessions in Sessions)
                {
                    PrintLine(Setup(costs, stages, sessions) with { LatencyMs = stages == 1 ? 0 : roundTrip / 2 });
                }
            }
        }
    }

    public static void PrintSharedMachine(LayerCosts costs)
    {
        PrintHeader($"all stages on one machine, which each of them could use alone");
        for (var stages = 2; stages <= Math.Min(MostStages, costs.Layers); stages += 2)
        {
            foreach (var sessions in Sessions)
            {
                PrintLine(Setup(costs, stages, sessions) with { Cores = 1, BytesPerMs = 1e6 });
            }
        }
    }

    private static PipelineSetup Setup(LayerCosts costs, int stages, int sessions) => new()
    {
        Stages = costs.Cut(stages),
        Sessions = sessions,
        RowBytes = costs.RowBytes,
        BytesPerMs = BytesPerMs,
    };

    private static void PrintHeader(FormattableString title)
    {
        Print($"");
        Print(title);
        Print($"{"S",2} {"N",3} | {"tuned M",7} {"tok/s",7} {"busy",5} {"most",5} {"p99",7} | {"M=1",7} {"busy",5} | {"M=S",7} {"busy",5}");
    }

    private static void PrintLine(PipelineSetup setup)
    {
        var stages = setup.Stages.Length;
        var tuned = Measure(setup);
        var one = Measure(setup with { MicroBatches = 1 });
        var each = Measure(setup with { MicroBatches = stages });
        Print($"{stages,2} {setup.Sessions,3} | {tuned.MicroBatches,7} {tuned.TokensPerSecond,7:F0} {Busy(tuned),5:F0} {100 * tuned.Utilisation.Max(),5:F0} {tuned.P99Ms,7:F1} | {one.TokensPerSecond,7:F0} {Busy(one),5:F0} | {each.TokensPerSecond,7:F0} {Busy(each),5:F0}");
    }

    private static double Busy(PipelineReport report) => 100 * report.Utilisation.Average();

    /// <summary>Long enough for the tuner's windows, which are a fifth of a second and some rounds at least.</summary>
    private static PipelineReport Measure(PipelineSetup setup)
    {
        var ring = setup.Stages.Sum(cost => cost.Ms(setup.Sessions) + setup.LatencyMs);
        var warm = setup.MicroBatches is null ? Math.Max(60_000, 500 * ring) : 20 * ring;
        var simulation = new PipelineSimulation(setup);
        simulation.RunUntil(warm);
        simulation.ResetStatistics();
        simulation.RunUntil(warm + Math.Max(20_000, 100 * ring));
        return simulation.Report();
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
