using CsCheck;
using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Numerics;
using Parallax.Runtime.Sampling;
using Parallax.Testing;

namespace Parallax.UnitTests.Sampling;

public sealed class SamplerTests
{
    private static readonly SamplingParameters Plain = new() { MaxTokens = 100, Seed = 1 };
    private static readonly SamplingParameters Greedy = Plain with { Temperature = 0 };
    private static readonly TokenHistory NoHistory = new();

    public static TheoryData<SamplingParameters> Settings { get; } = new()
    {
        Plain,
        Greedy,
        Plain with { Temperature = 0.3f },
        Plain with { Temperature = 3f },
        Plain with { TopK = 1 },
        Plain with { TopK = 7 },
        Plain with { TopK = 700 },
        Plain with { TopP = 0.01f },
        Plain with { TopP = 0.5f },
        Plain with { TopP = 0.97f, Temperature = 2f },
        Plain with { TopP = 0.9999999f, Temperature = 0.5f },
        Plain with { MinP = 0.1f },
        Plain with { MinP = 1f },
        Plain with { MinP = 1e-30f },
        Plain with { TopK = 40, TopP = 0.9f, MinP = 0.05f, Temperature = 0.8f },
        Plain with { RepetitionPenalty = 1.3f, FrequencyPenalty = 0.5f, PresencePenalty = -0.7f },
        Plain with { LogitBias = [new(0, 3f), new(2, -100f), new(1, float.NegativeInfinity)], StopTokenIds = [3], MinTokens = 5 },
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public void Distribution_RandomLogits_EqualsThePlainReference(SamplingParameters parameters)
    {
        var random = new Random(17);
        foreach (var size in new[] { 4, 16, 255, 256, 257, 1_000, 5_003 })
        {
            for (var round = 0; round < 5; round++)
            {
                var logits = RandomLogits(random, size, spread: 1 + (4 * round));
                int[] prompt = [.. Enumerable.Range(0, 10).Select(_ => random.Next(size))];
                int[] answer = [.. Enumerable.Range(0, 10).Select(_ => random.Next(Math.Min(size, 6)))];
                var expected = ReferenceSampling.Distribution(logits, parameters, prompt, answer, tokenIndex: 2);
                var actual = new double[size];
                new Sampler(size).Distribution(logits, parameters, new TokenHistory(prompt, answer), 2, null, actual);
                for (var id = 0; id < size; id++)
                {
                    Assert.True(Math.Abs(expected[id] - actual[id]) < 2e-6, $"size {size}, token {id}: {expected[id]} and {actual[id]}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Distribution_EveryVectorWidth_GivesTheSameBits(SamplingParameters parameters)
    {
        var random = new Random(23);
        foreach (var size in new[] { 5, 300, 4_097 })
        {
            var logits = RandomLogits(random, size, 8);
            var history = new TokenHistory([1, 2], [2, 2]);
            double[]? expected = null;
            foreach (var width in Widths())
            {
                var actual = new double[size];
                new Sampler(size, width).Distribution([.. logits], parameters, history, 0, null, actual);
                expected ??= actual;
                Assert.True(expected.AsSpan().SequenceEqual(actual), $"{width} differs from {VectorWidth.Scalar} at size {size}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Sample_ManySeeds_MatchesTheDistribution(SamplingParameters parameters)
    {
        const int size = 600;
        const int draws = 4_000;
        var logits = RandomLogits(new Random(5), size, 3);
        var history = new TokenHistory([1, 2, 3], [3, 4, 4]);
        var sampler = new Sampler(size);
        var expected = new double[size];
        sampler.Distribution([.. logits], parameters, history, 7, null, expected);
        var counts = new int[size];
        for (var seed = 0; seed < draws; seed++)
        {
            var choice = sampler.Sample([.. logits], parameters with { Seed = (ulong)seed }, history, 7);
            Assert.True(expected[choice.TokenId] > 0, $"token {choice.TokenId} has no probability");
            counts[choice.TokenId]++;
        }

        // Rare tokens together, so that each bin expects enough for the chi-square approximation.
        var (statistic, freedom, restExpected, restCount) = (0.0, -1, 0.0, 0);
        for (var id = 0; id < size; id++)
        {
            if (expected[id] * draws < 8)
            {
                restExpected += expected[id] * draws;
                restCount += counts[id];
                continue;
            }

            statistic += Square(counts[id] - (expected[id] * draws)) / (expected[id] * draws);
            freedom++;
        }

        if (restExpected > 1)
        {
            statistic += Square(restCount - restExpected) / restExpected;
            freedom++;
        }

        // Mean and five standard deviations of chi-square: passed by a right sampler, the seeds being fixed.
        Assert.True(statistic <= freedom + (5 * Math.Sqrt(2.0 * Math.Max(freedom, 1))), $"chi-square {statistic} with {freedom} degrees of freedom");
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Sample_SameSeedChoiceAndIndex_DrawsTheSameToken(SamplingParameters parameters)
    {
        const int size = 3_000;
        var random = new Random(3);
        var logits = RandomLogits(random, size, 4);
        var expected = new Sampler(size).Sample([.. logits], parameters, new TokenHistory([5, 6, 7], [7, 8]), 3);

        // Another sampler in another state, another order of the prompt, other settings drawn in between.
        var used = new Sampler(size);
        foreach (var row in Settings)
        {
            used.Sample(RandomLogits(random, size, 9), row.Data with { TopLogProbs = 5 }, new TokenHistory([1], [2]), 1);
            Assert.Equal(expected, used.Sample([.. logits], parameters, new TokenHistory([7, 5, 6, 5], [8, 7]), 3));
        }
    }

    [Fact]
    public void Sample_OtherSeedChoiceOrIndex_DrawsIndependently()
    {
        const int size = 1_000;
        var logits = new float[size];
        var sampler = new Sampler(size);
        var tokens = new List<int>();
        foreach (var (seed, choice, index) in new[] { (1UL, 0, 0), (2UL, 0, 0), (1UL, 1, 0), (1UL, 0, 1), (1UL << 40, 0, 0) })
        {
            tokens.Add(sampler.Sample([.. logits], Plain with { Seed = seed, ChoiceIndex = choice }, NoHistory, index).TokenId);
        }

        Assert.Equal(tokens.Count, tokens.Distinct().Count());
    }

    [Fact]
    public void Sample_Greedy_TakesTheLargestAndTheLowestOfEquals() =>
        Gen.Select(Gen.Int[1, 1_200], Gen.Int[0, 1_000_000], Gen.Int[1, 5]).Sample((size, seed, levels) =>
        {
            var random = new Random(seed);
            var logits = Enumerable.Range(0, size).Select(_ => (float)(random.Next(levels) - 2)).ToArray();
            var expected = Array.IndexOf(logits, logits.Max());
            foreach (var width in Widths())
            {
                Assert.Equal(expected, new Sampler(size, width).Sample([.. logits], Greedy, NoHistory, 0).TokenId);
            }
        }, iter: 300);

    [Fact]
    public void Sample_GreedyWithZerosOfBothSigns_TakesTheFirst()
    {
        foreach (var width in Widths())
        {
            Assert.Equal(1, new Sampler(20, width).Sample([-1, -0f, 0f, .. new float[17]], Greedy, NoHistory, 0).TokenId);
            Assert.Equal(1, new Sampler(20, width).Sample([-1, 0f, -0f, .. new float[17]], Greedy, NoHistory, 0).TokenId);
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    public void Sample_TopKOne_IsGreedyUpToTies(float temperature)
    {
        var logits = RandomLogits(new Random(1), 500, 5);
        var expected = Array.IndexOf(logits, logits.Max());
        Assert.Equal(expected, new Sampler(500).Sample([.. logits], Plain with { TopK = 1, Temperature = temperature }, NoHistory, 0).TokenId);
    }

    [Theory]
    [InlineData(1e-30f)]
    [InlineData(1e30f)]
    public void Sample_ExtremeTemperature_IsSharpOrFlat(float temperature)
    {
        var logits = RandomLogits(new Random(1), 64, 5);
        var probabilities = new double[64];
        new Sampler(64).Distribution([.. logits], Plain with { Temperature = temperature }, NoHistory, 0, null, probabilities);
        Assert.Equal(temperature < 1 ? 1.0 : 1.0 / 64, probabilities.Max(), 6);
    }

    [Fact]
    public void Sample_HugeLogits_DoNotOverflow()
    {
        var probabilities = new double[4];
        new Sampler(4).Distribution([3e38f, 3e38f, -3e38f, 0f], Plain, NoHistory, 0, null, probabilities);
        Assert.Equal([0.5, 0.5, 0, 0], probabilities);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Sample_UnsoundLogit_FailsNamingTheToken(float bad)
    {
        foreach (var at in new[] { 0, 17, 299, 300 })
        {
            var logits = new float[301];
            logits[at] = bad;
            foreach (var parameters in new[] { Greedy, Plain, Plain with { TopLogProbs = 2 } })
            {
                var error = Assert.Throws<SamplingException>(() => new Sampler(301).Sample(logits, parameters, NoHistory, 0));
                Assert.Contains($"token {at} ", error.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Sample_NothingLeft_FailsWithTheReasons()
    {
        var sampler = new Sampler(70);
        var none = Enumerable.Repeat(float.NegativeInfinity, 70).ToArray();
        Assert.Throws<SamplingException>(() => sampler.Sample([.. none], Plain, NoHistory, 0));
        var masked = Assert.Throws<SamplingException>(() => sampler.Sample(new float[70], Greedy, NoHistory, 0, new BitMask(new ulong[2])));
        Assert.Contains("token mask", masked.Message, StringComparison.Ordinal);
        var stops = Greedy with { MinTokens = 3, StopTokenIds = [.. Enumerable.Range(0, 70)] };
        var early = Assert.Throws<SamplingException>(() => sampler.Sample(new float[70], stops, NoHistory, 2));
        Assert.Contains("MinTokens", early.Message, StringComparison.Ordinal);
        Assert.Equal(0, sampler.Sample(new float[70], stops, NoHistory, 3).TokenId);
    }

    [Fact]
    public void Sample_PenaltyThatOverflows_Fails()
    {
        var history = new TokenHistory([], [1, 1, 1]);
        foreach (var parameters in new[]
        {
            Plain with { FrequencyPenalty = -3e38f },
            Plain with { RepetitionPenalty = 1e-38f },
            Plain with { LogitBias = [new(1, 3e38f)] },
        })
        {
            Assert.Throws<SamplingException>(() => new Sampler(3).Sample([0f, 3e38f, 0f], parameters, history, 3));
        }
    }

    [Fact]
    public void Sample_WrongLengths_Fail()
    {
        Assert.Throws<ArgumentException>(() => new Sampler(10).Sample(new float[9], Plain, NoHistory, 0));
        Assert.Throws<SamplingException>(() => new Sampler(65).Sample(new float[65], Plain, NoHistory, 0, new BitMask([ulong.MaxValue])));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(0));
    }

    [Fact]
    public void Sample_MinusInfinity_IsNeverDrawn()
    {
        var logits = Enumerable.Range(0, 600).Select(id => id % 3 == 0 ? 0f : float.NegativeInfinity).ToArray();
        var sampler = new Sampler(600);
        foreach (var parameters in new[] { Plain, Plain with { TopK = 400 }, Plain with { TopP = 0.999999f }, Plain with { MinP = 1e-40f } })
        {
            for (var seed = 0UL; seed < 500; seed++)
            {
                Assert.Equal(0, sampler.Sample([.. logits], parameters with { Seed = seed }, NoHistory, 0).TokenId % 3);
            }
        }
    }

    [Fact]
    public void Sample_Mask_AllowsItsBitsOnly()
    {
        const int size = 200;
        var random = new Random(9);
        for (var round = 0; round < 50; round++)
        {
            var words = new ulong[4];
            words[round % 4] = (ulong)random.NextInt64() | 1;
            words[3] &= 0xFF;
            words[0] |= 1;
            bool Allowed(int id) => (words[id / 64] >> (id % 64) & 1) != 0;
            var logits = RandomLogits(random, size, 3);
            var expected = ReferenceSampling.Distribution(logits, Plain with { TopP = 0.8f }, [], [], 0, Allowed);
            var actual = new double[size];
            new Sampler(size).Distribution([.. logits], Plain with { TopP = 0.8f }, NoHistory, 0, new BitMask(words), actual);
            Assert.All(Enumerable.Range(0, size), id => Assert.Equal(expected[id], actual[id], 5));
            Assert.True(Allowed(new Sampler(size).Sample(logits, Greedy, NoHistory, 0, new BitMask(words)).TokenId));
        }
    }

    [Fact]
    public void Sample_TopP_KeepsTheTokenThatReachesIt()
    {
        // Probabilities 0.5, 0.25, 0.125, ...: 0.75 is reached by two, a little more needs the third.
        var logits = Enumerable.Range(0, 20).Select(i => -i * 0.6931472f).ToArray();
        Assert.Equal(2, Kept(logits, Plain with { TopP = 0.7499f }));
        Assert.Equal(3, Kept(logits, Plain with { TopP = 0.7501f }));
        Assert.Equal(1, Kept(logits, Plain with { TopP = 0.0001f }));
        Assert.Equal(20, Kept(logits, Plain with { TopP = 1f }));
    }

    [Fact]
    public void Sample_TopKAndTopPWithTies_KeepTiesOfKAndTheLowestIdsOfP()
    {
        float[] logits = [1, 2, 2, 2, 0, 2];
        Assert.Equal(4, Kept(logits, Plain with { TopK = 2 }));
        var probabilities = new double[6];
        new Sampler(6).Distribution([.. logits], Plain with { TopK = 4, TopP = 0.5f }, NoHistory, 0, null, probabilities);
        Assert.Equal([0, 0.5, 0.5, 0, 0, 0], probabilities);
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Sample_LogProbs_AreTheModelsOwn(SamplingParameters parameters)
    {
        const int size = 900;
        var logits = RandomLogits(new Random(11), size, 30);
        var normalizer = ScalarMath.Log(logits.Sum(logit => ScalarMath.Exp((double)logit)));
        var order = Enumerable.Range(0, size).OrderByDescending(id => logits[id]).ThenBy(id => id).ToArray();
        foreach (var alternatives in new[] { 0, 1, 5, 20 })
        {
            var choice = new Sampler(size).Sample(
                [.. logits], parameters with { TopLogProbs = alternatives }, new TokenHistory([1, 2, 3], [4, 4]), 0);
            Assert.Equal(logits[choice.TokenId] - normalizer, choice.LogProb, 4);
            Assert.Equal(order[..alternatives], choice.TopLogProbs.Select(top => top.TokenId));
            Assert.All(choice.TopLogProbs, top => Assert.Equal(logits[top.TokenId] - normalizer, top.LogProb, 4));
            Assert.Equal(new Sampler(size).Sample([.. logits], parameters, new TokenHistory([1, 2, 3], [4, 4]), 0).TokenId, choice.TokenId);
        }
    }

    [Fact]
    public void Sample_LogProbsNotAskedFor_AreAbsent()
    {
        var choice = new Sampler(10).Sample(new float[10], Plain, NoHistory, 0);
        Assert.True(float.IsNaN(choice.LogProb));
        Assert.Empty(choice.TopLogProbs);
    }

    [Fact]
    public void Sample_FewTokensPossible_GivesFewerAlternatives()
    {
        var logits = Enumerable.Repeat(float.NegativeInfinity, 300).ToArray();
        (logits[3], logits[299]) = (1f, -200f);
        var choice = new Sampler(300).Sample(logits, Greedy with { TopLogProbs = 20 }, NoHistory, 0);
        Assert.Equal([3, 299], choice.TopLogProbs.Select(top => top.TokenId));
        Assert.Equal([0f, -201f], choice.TopLogProbs.Select(top => top.LogProb));
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Sample_SteadyState_AllocatesNothing(SamplingParameters parameters)
    {
        const int size = 2_000;
        var logits = RandomLogits(new Random(2), size, 5);
        var scratch = new float[size];
        var sampler = new Sampler(size);
        var history = new TokenHistory([1, 2, 3], [3]);
        var sum = 0;
        void Draw(int index)
        {
            logits.CopyTo(scratch, 0);
            sum += sampler.Sample(scratch, parameters, history, index).TokenId;
        }

        Assert.Equal(0, Allocations.OfWarm(() =>
        {
            for (var i = 0; i < 50; i++)
            {
                Draw(i);
            }
        }));
        Assert.True(sum >= 0);
    }

    [Fact]
    public void TokenSamplerFactory_Session_CountsAdoptedTokens()
    {
        var factory = new TokenSamplerFactory();
        var session = factory.Create([0], Greedy with { RepetitionPenalty = 2f }, 3);
        float[] logits = [4f, 3f, 1.2f];
        Assert.Equal(1, session.Sample([.. logits], 0).TokenId);
        session.Append(1);
        Assert.Equal(0, session.Sample([.. logits], 1).TokenId);
        session.Append(0);

        var frequency = factory.Create([0], Greedy with { FrequencyPenalty = 1f }, 3);
        Assert.Equal(0, frequency.Sample([.. logits], 0).TokenId);
        frequency.Append(0);
        frequency.Append(0);
        Assert.Equal(1, frequency.Sample([.. logits], 2).TokenId);
        Assert.Equal(0, factory.Create([0], Greedy, 3).Sample([.. logits], 0).TokenId);
    }

    [Fact]
    public void Sample_FromTwoThreadsAtOnce_IsRefused()
    {
        var sampler = new Sampler(4);
        var mask = new CallbackMask(() => sampler.Sample(new float[4], Plain, NoHistory, 0));
        Assert.Throws<InvalidOperationException>(() => sampler.Sample(new float[4], Plain, NoHistory, 0, mask));
        Assert.InRange(sampler.Sample(new float[4], Plain, NoHistory, 0).TokenId, 0, 3);
    }

    private static int Kept(float[] logits, SamplingParameters parameters)
    {
        var probabilities = new double[logits.Length];
        new Sampler(logits.Length).Distribution([.. logits], parameters, NoHistory, 0, null, probabilities);
        return probabilities.Count(probability => probability > 0);
    }

    private static float[] RandomLogits(Random random, int size, float spread) =>
        [.. Enumerable.Range(0, size).Select(_ => (float)((random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * spread))];

    private static IEnumerable<VectorWidth> Widths() =>
        new[] { VectorWidth.Scalar, VectorWidth.V128, VectorWidth.V256, VectorWidth.V512 }.Where(CpuBackend.IsSupported);

    private static double Square(double value) => value * value;

    private sealed class BitMask(ulong[] words) : ITokenMask
    {
        public ReadOnlySpan<ulong> Allowed => words;
    }

    private sealed class CallbackMask(Func<TokenChoice> callback) : ITokenMask
    {
        public ReadOnlySpan<ulong> Allowed => callback().TokenId >= 0 ? [ulong.MaxValue] : [];
    }
}
