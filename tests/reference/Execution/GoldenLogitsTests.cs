using System.Text.Json;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;
using Parallax.Testing;
using Parallax.Testing.Execution;

namespace Parallax.ReferenceTests.Execution;

/// <summary>Every folder with golden.json and golden.safetensors: hidden states, logits, losses, greedy ids, case by case.</summary>
public sealed class GoldenLogitsTests
{
    public static TheoryData<string> Models() =>
        [.. GoldenModel.Folders(folder => File.Exists(Path.Combine(folder, "golden.safetensors")))];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Models))]
    public void Forward_EveryCase_GivesTheReferencesHiddenStatesAndLogits(string relative)
    {
        var folder = TestData.PathOf(relative);
        using var model = GoldenModel.OpenOrSkip(folder);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));
        using var tensors = SafetensorsFile.Open(Path.Combine(folder, "golden.safetensors"));
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        var cases = golden.RootElement.GetProperty("cases").EnumerateArray().ToArray();
        Assert.NotEmpty(cases);
        var routing = cases.ToDictionary(item => item.GetProperty("name").GetString()!, _ => Array.Empty<(string, double)[]>());
        Check(model, backend, cases, tensors, ResidualPrecision.F32, routing);
        Check(model, backend, cases, tensors, ResidualPrecision.BF16, routing);
    }

    /// <param name="model">The model.</param>
    /// <param name="backend">Computes.</param>
    /// <param name="cases">Of golden.json.</param>
    /// <param name="tensors">Of golden.safetensors.</param>
    /// <param name="precision">The numeric class.</param>
    /// <param name="routing">Choices of experts in the f32 class, by case: written by it, read by the bf16 class.</param>
    private static void Check(
        ModelSource model,
        IComputeBackend backend,
        JsonElement[] cases,
        SafetensorsFile tensors,
        ResidualPrecision precision,
        Dictionary<string, (string Experts, double Margin)[][]> routing)
    {
        var watch = new RouterWatch(backend);
        var layers = model.Spec.Layers.Length;
        var options = new ShardChainOptions { Residual = precision, KvTokens = 1024, Cuts = [.. Enumerable.Range(1, layers - 1)] };
        using var chain = ShardChain.Load(model, watch, options);
        var tolerance = GoldenModel.Tolerance(precision);
        double worstHidden = 0, worstLogits = 0, worstLoss = 0;
        foreach (var item in cases)
        {
            var name = item.GetProperty("name").GetString()!;
            var ids = item.Ints("input_ids");
            watch.Choices.Clear();
            var session = chain.Run(ids);
            if (precision == ResidualPrecision.F32)
            {
                routing[name] = [.. watch.Choices];
            }
            else if (RoutesElsewhere(routing[name], watch.Choices, tolerance, out var ties))
            {
                GoldenModel.Report($"{precision}, {name}: not compared, experts differ from the f32 class at near ties ({ties})");
                chain.Close(session);
                continue;
            }

            foreach (var (index, hidden) in HiddenStates(chain, backend, ids[^1], precision))
            {
                var error = GoldenModel.RelativeError(tensors.Floats($"{name}.hidden.{index}"), hidden);
                Assert.True(error <= tolerance, $"{precision}, {name}, hidden state {index}: error {error:E2} of the largest");
                worstHidden = Math.Max(worstHidden, error);
            }

            var last = session.Logits[ids.Length - 1];
            var lastError = GoldenModel.RelativeError(tensors.Floats($"{name}.logits_last"), last);
            if (tensors.Contains($"{name}.logits"))
            {
                float[] all = [.. session.Logits.Values.SelectMany(row => row)];
                lastError = Math.Max(lastError, GoldenModel.RelativeError(tensors.Floats($"{name}.logits"), all));
            }

            Assert.True(lastError <= tolerance, $"{precision}, {name}, logits: error {lastError:E2} of the largest");
            worstLogits = Math.Max(worstLogits, lastError);
            var absolute = tolerance * GoldenModel.Largest(last);
            CheckTop(item, last, absolute);
            if (item.GetProperty("nll_mean").ValueKind == JsonValueKind.Number)
            {
                var loss = Enumerable.Range(0, ids.Length - 1).Average(i => GoldenModel.LogSum(session.Logits[i]) - session.Logits[i][ids[i + 1]]);
                var error = Math.Abs(loss - item.GetProperty("nll_mean").GetDouble());
                Assert.True(error <= 2 * absolute, $"{name}: loss off by {error:E2}");
                worstLoss = Math.Max(worstLoss, error);
            }

            if (item.TryGetProperty("greedy_ids", out _))
            {
                var (agreed, sure) = Greedy.Decode(chain, session, item, tolerance);
                GoldenModel.Report($"{precision}, {name}: {agreed} greedy ids agree, {sure} were sure");
                Assert.True(agreed >= sure, $"{name}: greedy id {agreed} differs; {sure} were sure");
            }

            chain.Close(session);
        }

        GoldenModel.Report($"{precision}: hidden {worstHidden:E2}, logits {worstLogits:E2} of the largest; loss {worstLoss:E2}");
    }

    /// <summary>
    /// Choosing experts is as discrete as choosing a token: where two of them are nearly equal, the bf16 class may take the
    /// other one, and all that depends on the row is another computation. Differences that no earlier one explains must
    /// have been near ties.
    /// </summary>
    private static bool RoutesElsewhere(
        (string Experts, double Margin)[][] expected, List<(string Experts, double Margin)[]> actual, double tolerance, out string ties)
    {
        var found = new List<string>();
        var firstRow = int.MaxValue;
        for (var layer = 0; layer < expected.Length; layer++)
        {
            var differing = Enumerable.Range(0, expected[layer].Length).Where(row => expected[layer][row].Experts != actual[layer][row].Experts).ToArray();
            foreach (var row in differing.Where(row => row < firstRow))
            {
                Assert.InRange(expected[layer][row].Margin, 0, tolerance);
                found.Add($"mixture {layer}, row {row}, margin {expected[layer][row].Margin:E1}");
            }

            firstRow = Math.Min(firstRow, differing.Length == 0 ? int.MaxValue : differing[0]);
        }

        ties = string.Join("; ", found);
        return found.Count > 0;
    }

    /// <summary>
    /// Of the last step's last row: the embedding (0), the residual stream after each layer but the last, and in its
    /// place the final norm's output.
    /// </summary>
    private static IEnumerable<(int Index, float[] Values)> HiddenStates(ShardChain chain, IComputeBackend backend, int lastId, ResidualPrecision precision)
    {
        var spec = chain.Spec;
        using var output = backend.AllocateTensor(spec.HiddenSize);
        using (var table = backend.LoadMatrix(chain.Model.Weights.Open(spec.Embedding, spec.VocabularySize, spec.HiddenSize)))
        {
            backend.Embed(table, [lastId], output, precision == ResidualPrecision.BF16);
        }

        var embedded = new float[spec.HiddenSize];
        output.Download(embedded);
        yield return (0, embedded);
        for (var layer = 1; layer < spec.Layers.Length; layer++)
        {
            yield return (layer, chain.Boundaries[layer - 1][^spec.HiddenSize..]);
        }

        yield return (spec.Layers.Length, chain.Shards[^1].ReadResidual(normed: true)[^spec.HiddenSize..]);
    }

    /// <summary>The five largest: their values, and their order where the reference's neighbours are further apart than twice the tolerance.</summary>
    private static void CheckTop(JsonElement item, float[] logits, double tolerance)
    {
        var ids = item.Ints("last_top5_ids");
        var values = item.Floats("last_top5_logits");
        var ours = Enumerable.Range(0, logits.Length).OrderByDescending(id => logits[id]).ThenBy(id => id).Take(ids.Length + 1).ToArray();
        for (var i = 0; i < ids.Length; i++)
        {
            Assert.InRange(logits[ids[i]], values[i] - tolerance, values[i] + tolerance);
            var above = i == 0 || values[i - 1] - values[i] > 2 * tolerance;
            var below = i + 1 < ids.Length ? values[i] - values[i + 1] > 2 * tolerance : values[i] - logits[ours[^1]] > 2 * tolerance;
            if (above && below)
            {
                Assert.Equal(ids[i], ours[i]);
            }
        }
    }
}
