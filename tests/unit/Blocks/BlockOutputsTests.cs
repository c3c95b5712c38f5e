using Parallax.Runtime.Blocks;

namespace Parallax.UnitTests.Blocks;

public sealed class BlockOutputsTests
{
    private readonly BlockOutputs _outputs = new(blocks: 3, rowBytes: 2);

    [Fact]
    public void TryRead_AllRowsPut_GivesThem()
    {
        Put(1, 0, 15);
        var rows = new byte[32];
        Assert.False(_outputs.TryRead(1, rows));
        Put(1, 15, 16);
        Assert.True(_outputs.TryRead(1, rows));
        Assert.Equal(Enumerable.Range(0, 16).SelectMany(static slot => new[] { (byte)slot, (byte)1 }), rows);
        Assert.Equal(32, _outputs.Bytes);
    }

    [Fact]
    public void Put_FirstRowOfABlockThatIsUsedAnew_MakesTheOthersVoid()
    {
        Put(1, 0, 16);
        Put(1, 0, 1);
        Assert.True(_outputs.Holds(1, 0));
        Assert.False(_outputs.Holds(1, 1));
    }

    [Fact]
    public void Put_RowComputedAgain_KeepsTheOthers()
    {
        Put(1, 0, 16);
        _outputs.Put(1, 0, [7, 7], isAgain: true);
        Assert.True(_outputs.TryRead(1, new byte[32]));
        Assert.Equal([7, 7], _outputs.Row(1, 0).ToArray());
    }

    [Fact]
    public void Write_BlockWithoutOutputs_HoldsNone()
    {
        Put(2, 0, 16);
        _outputs.Write(2, default);
        Assert.False(_outputs.Holds(2, 3));
        _outputs.Write(2, new byte[32]);
        Assert.True(_outputs.Holds(2, 3));
    }

    private void Put(int block, int first, int end)
    {
        for (var slot = first; slot < end; slot++)
        {
            _outputs.Put(block, slot, [(byte)slot, (byte)block], isAgain: false);
        }
    }
}
