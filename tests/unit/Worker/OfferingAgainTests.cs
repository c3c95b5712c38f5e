using Parallax.Worker.Gpu.Blocks;

namespace Parallax.UnitTests.Worker;

public sealed class OfferingAgainTests
{
    [Fact]
    public void Generation_RisesWithArrivals_NotOftenerThanAllowed()
    {
        var again = new OfferingAgain(TimeSpan.FromSeconds(30));
        Assert.Equal(0, again.At(0, now: 5_000, frequency: 1000));
        Assert.Equal(2, again.At(2, 5_000, 1000)); // the first at once
        Assert.Equal(2, again.At(3, 6_000, 1000));
        Assert.Equal(2, again.At(4, 34_999, 1000));
        Assert.Equal(4, again.At(4, 35_000, 1000)); // not forgotten
        Assert.Equal(4, again.At(4, 99_000, 1000));
        Assert.Equal(5, again.At(5, 99_001, 1000));
    }

    [Fact]
    public void Generation_LateReader_NeverFalls()
    {
        var again = new OfferingAgain(TimeSpan.Zero);
        Assert.Equal(7, again.At(7, 1, 1000));
        Assert.Equal(7, again.At(6, 2, 1000));
    }
}
