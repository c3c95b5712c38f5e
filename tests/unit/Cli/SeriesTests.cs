using Parallax.Cli.Bench;

namespace Parallax.UnitTests.Cli;

public sealed class SeriesTests
{
    [Theory]
    [InlineData(new[] { 3.0 }, 3.0)]
    [InlineData(new[] { 9.0, 1.0, 2.0 }, 2.0)]
    [InlineData(new[] { 4.0, 1.0, 3.0, 2.0 }, 2.5)]
    public void Median_AnyOrder_IsTheMiddle(double[] values, double expected)
    {
        var series = Of(values);

        Assert.Equal(expected, series.Median);
        Assert.Equal(values.Min(), series.Least);
        Assert.Equal(values.Max(), series.Most);
        Assert.Equal(values, series.Values);
    }

    [Fact]
    public void Median_NothingMeasured_Throws() => Assert.Throws<InvalidOperationException>(() => new Series().Median);

    private static Series Of(double[] values)
    {
        var series = new Series();
        Array.ForEach(values, series.Add);
        return series;
    }
}
