using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;

namespace Parallax.Cli.Run;

/// <summary>Cuts a model's layers into consecutive stages of about the same work.</summary>
internal static class StageCut
{
    /// <summary>The cut of a model at hand.</summary>
    public static ImmutableArray<LayerRange> Of(ModelSpec spec, IWeightSource weights, IComputeBackend backend, int stages)
    {
        var sizes = new WeightSizes(spec, weights, backend);
        return Plan([.. Enumerable.Range(0, spec.Layers.Length).Select(sizes.Layer)], sizes.Head, stages);
    }

    /// <summary>
    /// The cut whose stages differ least (least sum of squares). A decoding step reads every weight of a stage once, so
    /// that work is counted in bytes: the head's are the last stage's, the embedding's are nobody's, because a step
    /// reads a row of it.
    /// </summary>
    /// <param name="layers">Work of each layer.</param>
    /// <param name="head">Work of final norm and head.</param>
    /// <param name="stages">How many stages; at least 1, at most one for each layer.</param>
    public static ImmutableArray<LayerRange> Plan(IReadOnlyList<long> layers, long head, int stages)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stages, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stages, layers.Count);
        var before = new double[layers.Count + 1]; // before[i]: work of layers [0, i)
        for (var i = 0; i < layers.Count; i++)
        {
            before[i + 1] = before[i] + layers[i];
        }

        // least[s, end]: least sum of squares of s stages over layers [0, end); from[s, end]: where the last begins.
        var least = new double[stages + 1, layers.Count + 1];
        var from = new int[stages + 1, layers.Count + 1];
        for (var end = 1; end <= layers.Count; end++)
        {
            least[1, end] = Square(before[end] + (end == layers.Count ? head : 0));
        }

        for (var stage = 2; stage <= stages; stage++)
        {
            for (var end = stage; end <= layers.Count; end++)
            {
                least[stage, end] = double.PositiveInfinity;
                for (var start = stage - 1; start < end; start++)
                {
                    var sum = least[stage - 1, start] + Square(before[end] - before[start] + (end == layers.Count ? head : 0));
                    if (sum < least[stage, end])
                    {
                        (least[stage, end], from[stage, end]) = (sum, start);
                    }
                }
            }
        }

        var ranges = new LayerRange[stages];
        for (int stage = stages, end = layers.Count; stage >= 1; stage--)
        {
            ranges[stage - 1] = new LayerRange(from[stage, end], end);
            end = from[stage, end];
        }

        return [.. ranges];
    }

    private static double Square(double value) => value * value;
}
