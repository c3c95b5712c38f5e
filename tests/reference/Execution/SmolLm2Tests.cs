using System.Text.Json;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Weights;
using Parallax.Testing.Execution;

namespace Parallax.ReferenceTests.Execution;

/// <summary>A real chat model in Q4_1 against f32 arithmetic on the same weights, and against itself, cut and batched.</summary>
public sealed class SmolLm2Tests(SmolLm2Fixture fixture) : IClassFixture<SmolLm2Fixture>
{
    /// <summary>Steps of a smaller margin need not agree (smollm2_greedy.json).</summary>
    private const double SureMargin = 0.3;

    public static TheoryData<ResidualPrecision> Classes() => [.. Enum.GetValues<ResidualPrecision>()];

    [Theory]
    [MemberData(nameof(Classes))]
    public void Forward_EveryGreedyCase_AgreesWhereTheReferenceIsSure(ResidualPrecision precision)
    {
        SmolLm2Fixture.SkipWhenAbsent("smollm2_greedy.json", "smollm2_logits.safetensors");
        using var golden = SmolLm2Fixture.Read("smollm2_greedy.json");
        using var tensors = SafetensorsFile.Open(SmolLm2Fixture.PathOf("smollm2_logits.safetensors"));
        var cases = golden.RootElement.GetProperty("cases").EnumerateArray().ToArray();
        var results = new Dictionary<ChainSession, CaseResult>();
        var chain = fixture.Load(new ShardChainOptions
        {
            Residual = precision,
            KvTokens = 4096,
            LogitSink = (session, position, logits) => results[session].Take(position, logits),
        });

        // Prompt and reference answer in one prefill: each step's choice, given the reference's choices before it, is that
        // of decoding up to the first difference (that prefill equals decode is tested with the chains).
        foreach (var (index, item) in cases.Index())
        {
            var session = chain.Open([.. item.Ints("input_ids"), .. item.Ints("greedy_ids")]);
            results.Add(session, new CaseResult(item, tensors.Contains($"logits.{index}") ? tensors.Floats($"logits.{index}") : null));
            chain.Step((session, session.Tokens.Count));
            chain.Close(session);
        }

        var steps = 0;
        var agreed = 0;
        foreach (var result in results.Values)
        {
            steps += result.Steps;
            agreed += result.AgreedSteps;
            GoldenModel.Report(result.ToString());
        }

        GoldenModel.Report($"{precision}: {agreed} of {steps} steps choose the reference's id");
        Assert.All(results.Values, result => result.Check(GoldenModel.Tolerance(precision)));
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void Forward_FirstWindowOfText_HasTheReferencesPerplexity(ResidualPrecision precision)
    {
        SmolLm2Fixture.SkipWhenAbsent("smollm2_perplexity.json");
        using var golden = SmolLm2Fixture.Read("smollm2_perplexity.json");
        var ids = golden.RootElement.Ints("ids_first_window");
        var expected = golden.RootElement.GetProperty("nll")[0].GetDouble();
        var loss = 0.0;
        var chain = fixture.Load(new ShardChainOptions
        {
            Residual = precision,
            KvTokens = ids.Length,
            LogitsAt = position => position < ids.Length - 1,
            LogitSink = (_, position, logits) => loss += GoldenModel.LogSum(logits) - logits[ids[position + 1]],
        });
        chain.Run(ids, chunk: 128);
        loss /= ids.Length - 1;
        GoldenModel.Report($"{precision}: {loss:F6} nats a token, reference {expected:F6}, difference {loss - expected:E2}");
        Assert.InRange(loss, expected - Allowed(precision), expected + Allowed(precision));

        static double Allowed(ResidualPrecision precision) => precision == ResidualPrecision.F32 ? 1e-3 : 1e-2;
    }

    /// <summary>Uneven cuts into two to six shards, over 512 tokens: most by prefill, in other chunks than the whole's, the rest by decode.</summary>
    [Theory]
    [InlineData(ResidualPrecision.BF16, new[] { 29 }, new[] { 3, 4, 17 }, new[] { 1, 2, 11, 12, 25 })]
    [InlineData(ResidualPrecision.F32, new[] { 8, 21 }, new[] { 5, 6, 7, 28 })]
    public void Forward_ChainsOfShards_GiveTheBitsOfTheWhole(ResidualPrecision precision, params int[][] cuts)
    {
        SmolLm2Fixture.SkipWhenAbsent("smollm2_perplexity.json");
        using var golden = SmolLm2Fixture.Read("smollm2_perplexity.json");
        var ids = golden.RootElement.Ints("ids_first_window");
        Assert.Equal(512, ids.Length);
        var options = new ShardChainOptions { Residual = precision, KvTokens = 512, LogitsAt = position => position % 61 == 0 || position >= 500 };
        var whole = fixture.Load(options).Run(ids);
        foreach (var cut in cuts)
        {
            var chain = fixture.Load(options with { Cuts = cut, BlockOrder = cut.Length });
            var session = chain.Open(ids);
            chain.Step((session, 301));
            chain.Step((session, 195));
            while (session.Position < ids.Length)
            {
                chain.Step((session, 1));
            }

            Assert.True(whole.Difference(session) is null, $"cut at [{string.Join(", ", cut)}]: {whole.Difference(session)}");
        }
    }

    /// <summary>Far into a long context, by other chunks, other cuts and single rows: the bits of the whole.</summary>
    [Fact]
    public void Forward_LongContext_GivesTheBitsOfTheWhole()
    {
        SmolLm2Fixture.SkipWhenAbsent("smollm2_perplexity.json");
        using var golden = SmolLm2Fixture.Read("smollm2_perplexity.json");
        var window = golden.RootElement.Ints("ids_first_window");
        const int Length = 4200;
        int[] ids = [.. Enumerable.Range(0, Length).Select(i => window[i * 7 % window.Length])];
        var options = new ShardChainOptions { KvTokens = Length + 64, LogitsAt = static position => position % 501 == 0 || position >= Length - 12 };
        var whole = fixture.Load(options).Run(ids, chunk: 512);
        var chain = fixture.Load(options with { Cuts = [10, 20], BlockOrder = 3 });
        var session = chain.Open(ids);
        foreach (var rows in (int[])[301, 512, 512, 509, 3, 700, 64, 480, 1, 1024])
        {
            chain.Step((session, rows));
        }

        while (session.Position < ids.Length)
        {
            chain.Step((session, Math.Min(session.Position < Length - 40 ? 37 : 1, Length - session.Position)));
        }

        Assert.True(whole.Difference(session) is null, whole.Difference(session));
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void Forward_AnySchedule_GivesTheBitsOfASessionAlone(ResidualPrecision precision)
    {
        SmolLm2Fixture.SkipWhenAbsent();
        var options = new ShardChainOptions { Residual = precision, KvTokens = 1024, LogitsAt = position => position % 9 == 0 };
        var check = new InvarianceCheck(fixture.Load, ownsChains: false, fixture.Model.Spec.VocabularySize, options, longest: 36, decodes: 2);
        Assert.Null(check.Crowd(seed: 1));
        if (precision == ResidualPrecision.BF16)
        {
            Assert.Null(check.Chunked());
            Assert.Null(check.DecodeRows());
        }
    }

    /// <summary>What one case's logits say.</summary>
    private sealed class CaseResult(JsonElement item, float[]? lastLogits)
    {
        private readonly int[] _prompt = item.Ints("input_ids");
        private readonly int[] _ids = item.Ints("greedy_ids");
        private readonly float[] _margins = item.Floats("greedy_margin");
        private readonly int[] _topIds = item.Ints("top10_ids");
        private readonly float[] _topLogprobs = item.Floats("top10_logprobs");
        private readonly List<int> _differing = [];
        private double _loss;
        private double _logprobError;
        private double? _logitError;
        private double _largest;

        public int Steps => _ids.Length;

        public int AgreedSteps => _ids.Length - _differing.Count;

        private int FirstDifference => _differing.Count == 0 ? _ids.Length : _differing[0];

        private double LossError => (_loss / (_prompt.Length - 1)) - item.GetProperty("nll_mean").GetDouble();

        public void Take(int position, float[] logits)
        {
            var step = position - (_prompt.Length - 1);
            if (step < 0)
            {
                _loss += GoldenModel.LogSum(logits) - logits[_prompt[position + 1]];
                return;
            }

            if (step == 0)
            {
                var sum = GoldenModel.LogSum(logits);
                _largest = GoldenModel.Largest(logits);
                _logitError = lastLogits is null ? null : GoldenModel.RelativeError(lastLogits, logits);
                for (var i = 0; i < _topIds.Length; i++)
                {
                    _logprobError = Math.Max(_logprobError, Math.Abs(logits[_topIds[i]] - sum - _topLogprobs[i]));
                }
            }

            if (step < _ids.Length && GoldenModel.ArgMax(logits) != _ids[step])
            {
                _differing.Add(step);
            }
        }

        public void Check(double tolerance)
        {
            // Differences where the reference's two best are close: nothing else may differ.
            Assert.All(_differing, step => Assert.True(
                _margins[step] < Math.Min(SureMargin, 2 * tolerance * _largest), $"step {step} differs at a margin of {_margins[step]}"));
            Assert.InRange(Math.Abs(LossError), 0, tolerance * _largest);
            Assert.InRange(_logprobError, 0, 2 * tolerance * _largest);
            Assert.InRange(_logitError ?? 0, 0, tolerance);
        }

        public override string ToString()
        {
            var sure = Array.FindIndex(_margins, margin => margin < SureMargin);
            var first = FirstDifference == _ids.Length ? "" : $" (margin {_margins[FirstDifference]})";
            return $"first difference at {FirstDifference} of {_ids.Length}{first}, first margin < {SureMargin} at {(sure < 0 ? _ids.Length : sure)}; "
                + $"{_differing.Count} steps differ; logprob error {_logprobError:E2}, loss error {LossError:E2}"
                + (_logitError is { } error ? $", logits {error:E2} of the largest ({_largest:F1})" : "");
        }
    }
}
