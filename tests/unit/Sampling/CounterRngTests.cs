using Parallax.Runtime.Sampling;
using Counter = Parallax.Runtime.Sampling.CounterRng.PhiloxCounter;

namespace Parallax.UnitTests.Sampling;

public sealed class CounterRngTests
{
    /// <summary>The known answers that the authors publish with their code (kat_vectors, philox4x32 with 10 rounds).</summary>
    [Theory]
    [InlineData(0x00000000u, 0x00000000u, 0x00000000u, 0x00000000u, 0x00000000u, 0x00000000u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdcceb, 0x5001e420u, 0x24126ea1u)]
    public void Block_KnownCounterAndKey_GivesThePublishedWords(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint r0, uint r1, uint r2, uint r3) =>
        Assert.Equal(new Counter(r0, r1, r2, r3), CounterRng.Block(new Counter(c0, c1, c2, c3), k0, k1));

    [Fact]
    public void Uniform_ManyPositions_FillsTheUnitIntervalEvenly()
    {
        var bins = new int[100];
        for (var seed = 0UL; seed < 10; seed++)
        {
            for (var token = 0; token < 10_000; token++)
            {
                var value = CounterRng.Uniform(seed, 0, token);
                Assert.InRange(value, 0, 1 - (1.0 / (1UL << 53)));
                bins[(int)(value * bins.Length)]++;
            }
        }

        // 99 degrees of freedom: 149 is passed with probability 0.001, once and for all since the seeds are fixed.
        Assert.True(bins.Sum(count => (count - 1_000.0) * (count - 1_000.0) / 1_000.0) < 149);
    }

    [Fact]
    public void Uniform_AnyPartOfThePosition_ChangesTheNumber()
    {
        var values = new HashSet<double>();
        foreach (var seed in new[] { 0UL, 1UL, 1UL << 32, ulong.MaxValue })
        {
            for (var choice = 0; choice < 8; choice++)
            {
                for (var token = 0; token < 64; token++)
                {
                    Assert.True(values.Add(CounterRng.Uniform(seed, choice, token)));
                    Assert.Equal(CounterRng.Uniform(seed, choice, token), CounterRng.Uniform(seed, choice, token));
                }
            }
        }
    }

    [Fact]
    public void Uniform_NeighbouringSeedsChoicesAndTokens_AreUncorrelated()
    {
        Assert.InRange(Correlation(i => (CounterRng.Uniform(7, 0, i), CounterRng.Uniform(7, 0, i + 1))), -0.02, 0.02);
        Assert.InRange(Correlation(i => (CounterRng.Uniform(7, 0, i), CounterRng.Uniform(7, 1, i))), -0.02, 0.02);
        Assert.InRange(Correlation(i => (CounterRng.Uniform((ulong)i, 0, 3), CounterRng.Uniform((ulong)i + 1, 0, 3))), -0.02, 0.02);
    }

    private static double Correlation(Func<int, (double X, double Y)> pair)
    {
        const int count = 20_000;
        var sum = 0.0;
        for (var i = 0; i < count; i++)
        {
            var (x, y) = pair(i);
            sum += (x - 0.5) * (y - 0.5) * 12;
        }

        return sum / count;
    }
}
