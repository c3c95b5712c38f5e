using System.Collections.Immutable;
using System.Text.Json;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Sampling;
using Parallax.Testing;

namespace Parallax.ReferenceTests.Sampling;

/// <summary>Final probabilities against the reference: order and meaning of every step.</summary>
public sealed class SamplingGoldenTests
{
    private const double Tolerance = 1e-5;

    [Fact]
    public void Distribution_EveryReferenceCase_IsEqual()
    {
        var folder = TestData.PathOf("golden");
        Assert.SkipWhen(TestData.MissingReason(folder) is not null, TestData.MissingReason(folder) ?? "");
        var files = Directory.GetFiles(folder, "sampling*.json").Order(StringComparer.Ordinal).ToList();
        Assert.SkipWhen(files.Count == 0, $"no sampling*.json in {folder}");
        var failures = new List<string>();
        var count = 0;
        foreach (var file in files)
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (var item in document.RootElement.GetProperty("cases").EnumerateArray())
            {
                count++;
                if (Compare(item) is { } difference)
                {
                    failures.Add($"{Path.GetFileName(file)} case {item.GetProperty("id")}: {difference}");
                }
            }
        }

        Assert.True(count > 0, "the reference files hold no cases");
        Assert.True(failures.Count == 0, $"{failures.Count} of {count} cases differ:\n{string.Join("\n", failures)}");
    }

    private static string? Compare(JsonElement item)
    {
        var logits = Floats(item.GetProperty("logits"));
        var expected = item.GetProperty("probs").EnumerateArray().Select(value => value.GetDouble()).ToArray();
        var history = new TokenHistory(Integers(item.GetProperty("prompt_ids")), Integers(item.GetProperty("answer_ids")));
        var actual = new double[logits.Length];
        new Sampler(logits.Length, VectorWidth.Best).Distribution(logits, Parameters(item), history, 0, null, actual);
        if (item.GetProperty("has_ties").GetBoolean())
        {
            // Which of equal tokens are cut off is the implementation's choice.
            Array.Sort(expected);
            Array.Sort(actual);
        }

        for (var id = 0; id < expected.Length; id++)
        {
            if (Math.Abs(expected[id] - actual[id]) > Tolerance)
            {
                return $"token {id}: expected {expected[id]}, got {actual[id]}; {item.GetProperty("params")}";
            }
        }

        return null;
    }

    private static SamplingParameters Parameters(JsonElement item)
    {
        var values = item.GetProperty("params");
        float Value(string name, float otherwise) => values.TryGetProperty(name, out var value) ? value.GetSingle() : otherwise;
        var biases = item.TryGetProperty("logit_bias", out var bias) && bias.ValueKind == JsonValueKind.Object
            ? bias.EnumerateObject().Select(member => KeyValuePair.Create(
                int.Parse(member.Name, System.Globalization.CultureInfo.InvariantCulture), member.Value.GetSingle())).ToImmutableArray()
            : [];
        return new SamplingParameters
        {
            MaxTokens = 1,
            Temperature = Value("temperature", 1),
            TopK = (int)Value("top_k", 0),
            TopP = Value("top_p", 1),
            MinP = Value("min_p", 0),
            RepetitionPenalty = Value("repetition_penalty", 1),
            PresencePenalty = Value("presence_penalty", 0),
            FrequencyPenalty = Value("frequency_penalty", 0),
            LogitBias = biases,
        };
    }

    private static float[] Floats(JsonElement values) => [.. values.EnumerateArray().Select(value => value.GetSingle())];

    private static int[] Integers(JsonElement values) => [.. values.EnumerateArray().Select(value => value.GetInt32())];
}
