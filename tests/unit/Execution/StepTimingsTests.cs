using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Execution;

public class StepTimingsTests
{
    private readonly StepTimings _timings = new();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(4, 4)]
    [InlineData(5, 8)]
    [InlineData(16, 16)]
    [InlineData(17, 32)]
    [InlineData(4096, 4096)]
    [InlineData(100_000, 4096)]
    public void DecodeStep_BelongsToTheBucketItFillsMostOf(int sessions, int bucket)
    {
        _timings.Add(7, sessions, 0);

        Assert.Equal([new StepTiming(bucket, 7)], _timings.ReadDecode());
    }

    [Fact]
    public void DecodeSteps_AreAveragedPerBucket_AndFollowAChange()
    {
        _timings.Add(10, 4, 0);
        _timings.Add(18, 3, 0);
        _timings.Add(3, 1, 0);
        Assert.Equal([new StepTiming(1, 3), new StepTiming(4, 11)], _timings.ReadDecode());

        for (var i = 0; i < 40; i++)
        {
            _timings.Add(50, 4, 0);
        }

        Assert.InRange(_timings.ReadDecode()[1].Milliseconds, 49, 50);
        Assert.Equal(0, _timings.ReadPrefill());
    }

    [Fact]
    public void OneSlowStep_AmongMany_HardlyCounts()
    {
        _timings.Begin(new WarmUpTimes(PrefillMsPerToken: 0.5, DecodeMs: 4));

        _timings.Add(900, 1, 0);
        _timings.Add(900, 0, 100);

        Assert.Equal([new StepTiming(1, 4.5)], _timings.ReadDecode());
        Assert.Equal(0.5625, _timings.ReadPrefill());
    }

    [Fact]
    public void PrefillSteps_CountPerToken_AndAreNoDecodeSteps()
    {
        _timings.Add(32, 0, 64);

        Assert.Equal(0.5, _timings.ReadPrefill());
        Assert.Empty(_timings.ReadDecode());
    }

    [Fact]
    public void MixedSteps_CountWhatTheyTakeLongerThanTheirDecodeRows()
    {
        _timings.Add(20, 4, 10);
        Assert.Equal(0, _timings.ReadPrefill()); // nothing is known of such decode rows yet

        _timings.Add(8, 4, 0);
        _timings.Add(18, 4, 10);
        Assert.Equal(1, _timings.ReadPrefill());
        Assert.Equal([new StepTiming(4, 8)], _timings.ReadDecode());

        _timings.Add(7, 4, 10); // shorter than decode rows alone are known to take
        Assert.Equal(1, _timings.ReadPrefill());
    }

    [Fact]
    public void NoRows_AreNoStep()
    {
        _timings.Add(9, 0, 0);

        Assert.Empty(_timings.ReadDecode());
        Assert.Equal(0, _timings.ReadPrefill());
    }
}
