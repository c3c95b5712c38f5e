using CsCheck;
using Parallax.ModelFiles.Manifests;

namespace Parallax.UnitTests.ModelFiles;

public sealed class ChunkSetTests
{
    private static readonly Gen<(int Length, int[] Adds, int[] Removes)> Cases =
        from length in Gen.Int[1, 70]
        from adds in Gen.Int[0, length - 1].Array[0, 80]
        from removes in Gen.Int[0, length - 1].Array[0, 20]
        select (length, adds, removes);

    [Fact]
    public void AnyChanges_BehaveAsASet() => Cases.Sample(test =>
    {
        var set = new ChunkSet(test.Length);
        var expected = new SortedSet<int>();
        foreach (var chunk in test.Adds)
        {
            Assert.Equal(expected.Add(chunk), set.Add(chunk));
        }

        foreach (var chunk in test.Removes)
        {
            Assert.Equal(expected.Remove(chunk), set.Remove(chunk));
        }

        Assert.Equal(expected, set.Chunks());
        Assert.Equal(expected.Count, set.Count);
        Assert.Equal(expected.Count == test.Length, set.IsFull);
        Assert.Equal(expected, ChunkSet.TryRead(set.ToArray(), test.Length)!.Chunks());
        var rest = ChunkSet.Full(test.Length).Except(set);
        Assert.Equal(test.Length, rest.Count + set.Count);
        Assert.Equal(rest.Count == 0, set.Covers(rest));
        Assert.True(ChunkSet.Full(test.Length).Covers(set));
    });

    [Fact]
    public void TryRead_BitsBehindTheEnd_AreRefused()
    {
        Assert.Null(ChunkSet.TryRead([0xFF, 0x08], 11));
        Assert.NotNull(ChunkSet.TryRead([0xFF, 0x07], 11));
        Assert.Null(ChunkSet.TryRead([0xFF], 11));
        Assert.Null(ChunkSet.TryRead([0xFF, 0x07, 0], 11));
    }

    [Fact]
    public void Contains_BehindTheEnd_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ChunkSet(9).Contains(9));
}
