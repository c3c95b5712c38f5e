using Parallax.Runtime.Execution;
using Parallax.Testing.Execution;
using Parallax.Transport.Compression;

namespace Parallax.ReferenceTests.Execution;

/// <summary>What 8-bit links between stages do to a real model's logits; the figures are in docs/transport.md.</summary>
public sealed class CompressedLinkTests(SmolLm2Fixture fixture) : IClassFixture<SmolLm2Fixture>
{
    // Measured, worst of the four: 10.4 % of the largest logit, 1.2 % on average, the same choice in 608 of 629 steps. The
    // bounds leave twice that, so that another order of sums does not fail and a block that decodes wrongly does.
    private const double LargestError = 0.2;
    private const double MeanError = 0.025;
    private const int LeastAgreed = 629 - (2 * 21);

    /// <summary>The reference's prompts and answers in one prefill each: 629 steps, each given the reference's choices before it.</summary>
    [Theory]
    [InlineData(ResidualPrecision.BF16, 15)]
    [InlineData(ResidualPrecision.BF16, 10, 20)]
    [InlineData(ResidualPrecision.BF16, 5, 10, 15, 20, 25)]
    [InlineData(ResidualPrecision.F32, 5, 10, 15, 20, 25)]
    public void Forward_EightBitLinks_ChangeLogitsWithinTheMeasuredBounds(ResidualPrecision precision, params int[] cuts)
    {
        SmolLm2Fixture.SkipWhenAbsent("smollm2_greedy.json");
        using var golden = SmolLm2Fixture.Read("smollm2_greedy.json");
        var effect = new Effect();
        var hidden = fixture.Model.Spec.HiddenSize;
        var options = new ShardChainOptions { Residual = precision, KvTokens = 1024, Cuts = cuts };
        var exact = fixture.Load(options);
        var compressed = fixture.Load(options with { OnLink = rows => Compress(rows, hidden) });
        foreach (var item in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            var (prompt, answer) = (item.Ints("input_ids"), item.Ints("greedy_ids"));
            var (expected, actual) = (Run(exact, prompt, answer), Run(compressed, prompt, answer));
            for (var step = 0; step < answer.Length; step++)
            {
                effect.Add(expected.Logits[prompt.Length - 1 + step], actual.Logits[prompt.Length - 1 + step], answer[step]);
            }
        }

        GoldenModel.Report($"{precision}, cut at [{string.Join(", ", cuts)}]: {effect}");
        Assert.Equal(629, effect.Steps);
        Assert.Equal(0, effect.IdenticalSteps);
        Assert.InRange(effect.Largest, 0, LargestError);
        Assert.InRange(effect.Mean, 0, MeanError);
        Assert.InRange(effect.Agreed, LeastAgreed, effect.Steps);
    }

    // Each row as a frame would carry it.
    private static void Compress(float[] rows, int hidden)
    {
        var wire = new byte[Q8Block.EncodedBytes(hidden)];
        for (var at = 0; at < rows.Length; at += hidden)
        {
            Q8Block.Encode(rows.AsSpan(at, hidden), wire);
            Q8Block.Decode(wire, rows.AsSpan(at, hidden));
        }
    }

    private static ChainSession Run(ShardChain chain, int[] prompt, int[] answer)
    {
        var session = chain.Run([.. prompt, .. answer]);
        chain.Close(session);
        return session;
    }

    private sealed class Effect
    {
        private double _sum;
        private double _rootSum;
        private int _exactAgreed;
        private int _compressedAgreed;

        public int Steps { get; private set; }

        public int Agreed { get; private set; }

        public int IdenticalSteps { get; private set; }

        /// <summary>Of all steps, the largest difference of a logit by the step's largest logit.</summary>
        public double Largest { get; private set; }

        /// <summary>The mean difference of a logit by its step's largest logit.</summary>
        public double Mean => _sum / Steps;

        public void Add(float[] expected, float[] actual, int reference)
        {
            var scale = GoldenModel.Largest(expected);
            var (sum, worst) = (0.0, GoldenModel.RelativeError(expected, actual));
            for (var i = 0; i < expected.Length; i++)
            {
                sum += Math.Abs((double)expected[i] - actual[i]);
            }

            Steps++;
            _sum += sum / expected.Length / scale;
            _rootSum += worst;
            Largest = Math.Max(Largest, worst);
            IdenticalSteps += Bits.Difference(expected, actual) is null ? 1 : 0;
            var (before, after) = (GoldenModel.ArgMax(expected), GoldenModel.ArgMax(actual));
            Agreed += before == after ? 1 : 0;
            _exactAgreed += before == reference ? 1 : 0;
            _compressedAgreed += after == reference ? 1 : 0;
        }

        public override string ToString() =>
            $"|delta logit| / max|logit|: {Largest:P2} at most, {_rootSum / Steps:P2} a step's worst on average, {Mean:P3} on average; "
            + $"greedy choice the same in {Agreed} of {Steps} steps; the reference's in {_exactAgreed} without and {_compressedAgreed} with it";
    }
}
