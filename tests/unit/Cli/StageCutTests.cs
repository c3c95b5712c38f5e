using CsCheck;
using Parallax.Cli.Run;

namespace Parallax.UnitTests.Cli;

public sealed class StageCutTests
{
    [Theory]
    [InlineData(8, 0, 1, "8")]
    [InlineData(8, 0, 2, "4 4")]
    [InlineData(9, 0, 3, "3 3 3")]
    [InlineData(8, 0, 8, "1 1 1 1 1 1 1 1")]
    [InlineData(8, 1, 3, "3 3 2")] // the head weighs as much as a layer
    [InlineData(8, 100, 3, "4 3 1")] // all that can be taken from the last is
    public void Plan_EqualLayers_WeighsTheHead(int layers, long head, int stages, string counts)
    {
        var cut = StageCut.Plan([.. Enumerable.Repeat(1L, layers)], head, stages);

        Assert.Equal(counts.Split(' ').Select(int.Parse).Order(), cut.Select(static range => range.Count).Order());
        Assert.Equal(counts.Split(' ').Select(int.Parse).Last(), cut[^1].Count);
    }

    [Fact]
    public void Plan_AnyModel_IsConsecutiveAndEveryStageHasALayer() =>
        Gen.Select(Gen.Long[0, 1_000_000_000_000].Array[1, 40], Gen.Long[0, 1_000_000_000_000], Gen.Int[1, 40]).Sample((layers, head, wanted) =>
        {
            var stages = Math.Min(wanted, layers.Length);

            var cut = StageCut.Plan(layers, head, stages);

            Assert.Equal(stages, cut.Length);
            Assert.Equal((0, layers.Length), (cut[0].Start, cut[^1].End));
            Assert.All(cut, static range => Assert.True(range.Count >= 1));
            Assert.All(cut.Zip(cut.Skip(1)), static pair => Assert.Equal(pair.First.End, pair.Second.Start));
        });
}
