using CsCheck;
using Parallax.Swarm.Telemetry;

namespace Parallax.UnitTests.Telemetry;

public sealed class ReconnectPaceTests
{
    private static readonly ReconnectPace Pace = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10));

    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 200)]
    [InlineData(4, 1600)]
    [InlineData(5, 2000)]
    [InlineData(1_000_000, 2000)]
    public void Next_Doubles_UpToTheLongest(int failures, int milliseconds)
    {
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds) / 2, Pace.Next(failures, refused: false, chance: 0));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds) * 0.75, Pace.Next(failures, refused: false, chance: 0.5));
    }

    [Fact]
    public void Next_Refused_WaitsLong() => Assert.Equal(TimeSpan.FromSeconds(5), Pace.Next(0, refused: true, chance: 0));

    [Fact]
    public void Next_AnyChance_IsBetweenHalfAndWhole() => Gen.Select(Gen.Int[0, 100], Gen.Double[0, 0.999]).Sample((failures, chance) =>
    {
        var (least, wait) = (Pace.Next(failures, refused: false, chance: 0), Pace.Next(failures, refused: false, chance));
        return wait >= least && wait < least * 2;
    });
}
