using CsCheck;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.Execution;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Blocks;

public sealed class BlockPartFormTests
{
    private static readonly BlockPartShape Shape = new(ResidualPrecision.BF16, 2, 4, 16 * 2 * 2 * 4 * 2);
    private static readonly BlockPartAddress Address = new((UInt128)123456789 << 64, BlockPartKind.Kv, 5);

    [Fact]
    public void Check_SoundPart_IsTaken() => Assert.Equal(BlockPartFault.None, BlockPartForm.Check(Part(), Address, Shape));

    [Fact]
    public void Check_AnyBitTurned_IsRefused() =>
        Gen.Int[0, (Shape.Bytes * 8) - 1].Sample(bit =>
        {
            var part = Part();
            var bytes = part.Bytes.ToArray();
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(BlockPartFault.Checksum, BlockPartForm.Check(part with { Bytes = bytes }, Address, Shape));

            // With a checksum that fits, only what the header says can be found out.
            var fault = BlockPartForm.Check(part with { Bytes = bytes, Checksum = BlockPartForm.Checksum(bytes) }, Address, Shape);
            Assert.Equal(bit / 8 < BlockPartForm.HeaderBytes, fault != BlockPartFault.None);
        });

    [Fact]
    public void Check_OtherSize_IsRefused()
    {
        var bytes = Part().Bytes.ToArray();
        foreach (var length in (int[])[0, 1, BlockPartForm.HeaderBytes, bytes.Length - 1])
        {
            var cut = bytes[..length];
            Assert.Equal(BlockPartFault.Size, BlockPartForm.Check(new BlockPart(Address, cut, BlockPartForm.Checksum(cut)), Address, Shape));
        }
    }

    [Fact]
    public void Check_PartOfAnotherLayerBlockOrKind_IsRefused()
    {
        foreach (var other in (BlockPartAddress[])[Address with { Layer = 6 }, Address with { Hash = 1 }, Address with { Kind = BlockPartKind.Outputs }])
        {
            Assert.Equal(BlockPartFault.Address, BlockPartForm.Check(Part(), other, Shape));

            // A store that hands it out under that address is found out by the header.
            Assert.Equal(BlockPartFault.Address, BlockPartForm.Check(Part() with { Address = other }, other, Shape));
        }
    }

    [Fact]
    public void Check_OtherShapeOfEqualSize_IsRefused()
    {
        Assert.Equal(BlockPartFault.Shape, BlockPartForm.Check(Part(), Address, Shape with { Heads = 4, Width = 2 }));
        Assert.Equal(BlockPartFault.Shape, BlockPartForm.Check(Part(), Address, Shape with { Element = ResidualPrecision.F32 }));
    }

    /// <summary>Equal to the sum that links use: one number can travel with a part from end to end.</summary>
    [Fact]
    public void Checksum_IsThatOfLinks()
    {
        Assert.Equal(0xE3069283u, BlockPartForm.Checksum("123456789"u8));
        Gen.Byte.Array[0, 5000].Sample(bytes => BlockPartForm.Checksum(bytes) == Crc32C.Compute(bytes), iter: 200);
    }

    private static BlockPart Part()
    {
        var bytes = new byte[Shape.Bytes];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(i * 7);
        }

        BlockPartForm.WriteHeader(Address, Shape, bytes);
        return new BlockPart(Address, bytes, BlockPartForm.Checksum(bytes));
    }
}
