using System.Runtime.InteropServices;
using System.Text.Json;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Weights;
using Parallax.Testing;

namespace Parallax.ReferenceTests.Execution;

/// <summary>Finds and reads the reference data of models, and what the numeric classes may be off by.</summary>
internal static class GoldenModel
{
    /// <summary>What results may be off by, as a fraction of the largest of them (golden.json states it).</summary>
    public static double Tolerance(ResidualPrecision precision) => precision == ResidualPrecision.F32 ? 2e-4 : 3e-2;

    /// <summary>Folders below models/ for which the rule holds, relative to the data's root.</summary>
    public static IEnumerable<string> Folders(Func<string, bool> isWanted)
    {
        var root = TestData.PathOf("models");
        return Directory.Exists(root)
            ? Directory.EnumerateDirectories(root, "*", SearchOption.AllDirectories).Where(isWanted)
                .Select(folder => Path.GetRelativePath(TestData.Root, folder)).Order(StringComparer.Ordinal)
            : [];
    }

    public static TheoryData<string, ResidualPrecision> InBothClasses(IEnumerable<string> names) =>
        [.. names.SelectMany(name => Enum.GetValues<ResidualPrecision>().Select(precision => (name, precision)))];

    /// <summary>Opens a model folder, or skips the test when its architecture or quantisation is one that is not supported.</summary>
    public static ModelSource OpenOrSkip(string folder)
    {
        try
        {
            return ModelSource.Open(folder);
        }
        catch (ModelFormatException e) when (IsUnsupportedKind(folder, e))
        {
            Assert.Skip($"not supported: {e.Message}");
            throw;
        }
    }

    /// <summary>Whether a folder's architecture and quantisation are supported. A broken model of a supported kind counts as supported.</summary>
    public static bool IsSupported(string folder)
    {
        try
        {
            using var model = ModelSource.Open(folder);
            return true;
        }
        catch (ModelFormatException e)
        {
            return !IsUnsupportedKind(folder, e);
        }
    }

    private static bool IsUnsupportedKind(string folder, ModelFormatException error)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        var type = config.RootElement.GetProperty("model_type").GetString()!;
        return error.Message.Contains($"the architecture '{type}' is not supported", StringComparison.Ordinal)
            || config.RootElement.TryGetProperty("quantization_config", out _)
            || config.RootElement.TryGetProperty("quantization", out _);
    }

    public static int[] Ints(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(item => item.GetInt32())];

    public static float[] Floats(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(item => item.GetSingle())];

    public static float[] Floats(this SafetensorsFile file, string name) =>
        MemoryMarshal.Cast<byte, float>(file.Tensor(name).Bytes).ToArray();

    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }

        return best;
    }

    /// <summary>log of the sum of exponentials.</summary>
    public static double LogSum(ReadOnlySpan<float> logits)
    {
        var max = logits[ArgMax(logits)];
        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += ScalarMath.Exp(logit - max);
        }

        return max + ScalarMath.Log(sum);
    }

    public static double Largest(ReadOnlySpan<float> values)
    {
        var largest = 0.0;
        foreach (var value in values)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        return largest;
    }

    /// <summary>The largest difference as a fraction of the largest expected value.</summary>
    public static double RelativeError(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = 0.0;
        for (var i = 0; i < expected.Length; i++)
        {
            // The comparison is written so that an undefined number counts as the worst.
            var error = Math.Abs((double)expected[i] - actual[i]);
            worst = error <= worst ? worst : error;
        }

        return double.IsNaN(worst) ? double.PositiveInfinity : worst / Largest(expected);
    }

    public static void Report(string text) => TestContext.Current.TestOutputHelper!.WriteLine(text);
}
