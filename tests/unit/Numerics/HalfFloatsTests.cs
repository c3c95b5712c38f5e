using Parallax.Runtime.Numerics;

namespace Parallax.UnitTests.Numerics;

public sealed class HalfFloatsTests
{
    [Fact]
    public void FromBf16_EveryValue_ComesBackAsItself()
    {
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var value = HalfFloats.FromBf16((ushort)bits);
            Assert.Equal((uint)bits << 16, BitConverter.SingleToUInt32Bits(value));
            var isNaN = (bits & 0x7FFF) > 0x7F80;

            // A quiet NaN stays; a signalling one becomes quiet.
            Assert.Equal(isNaN ? bits | 0x40 : bits, HalfFloats.ToBf16(value));
            Assert.Equal(isNaN, float.IsNaN(HalfFloats.RoundToBf16(value)));
        }
    }

    [Fact]
    public void ToBf16_AroundEveryValue_RoundsToNearestEven()
    {
        // Between a bf16 value and the next one: just below, at, and just above the middle.
        for (var bits = 0u; bits < 0x7F80; bits++)
        {
            var up = bits + 1;
            var middle = (bits << 16) + 0x8000;
            foreach (var sign in (uint[])[0, 0x8000])
            {
                Assert.Equal(bits | sign, Round((bits << 16) + 1, sign));
                Assert.Equal(bits | sign, Round(middle - 1, sign));
                Assert.Equal((bits % 2 == 0 ? bits : up) | sign, Round(middle, sign));
                Assert.Equal(up | sign, Round(middle + 1, sign));
                Assert.Equal(up | sign, Round((up << 16) - 1, sign));
            }
        }

        static uint Round(uint magnitude, uint sign) =>
            HalfFloats.ToBf16(BitConverter.UInt32BitsToSingle(magnitude | (sign << 16)));
    }

    [Theory]
    [InlineData(0x7F80_0001u)]
    [InlineData(0x7F80_FFFFu)]
    [InlineData(0x7FFF_FFFFu)]
    [InlineData(0xFF80_0001u)]
    [InlineData(0xFFC0_0000u)]
    public void ToBf16_NotANumber_StaysOne(uint bits)
    {
        // Rounding the bits up would turn 0x7FFFFFFF into a negative zero.
        Assert.True(float.IsNaN(HalfFloats.RoundToBf16(BitConverter.UInt32BitsToSingle(bits))));
    }

    [Fact]
    public void ToBf16_Infinities_Stay()
    {
        Assert.Equal(float.PositiveInfinity, HalfFloats.RoundToBf16(float.PositiveInfinity));
        Assert.Equal(float.NegativeInfinity, HalfFloats.RoundToBf16(float.NegativeInfinity));
        Assert.Equal(float.PositiveInfinity, HalfFloats.RoundToBf16(float.MaxValue));
    }

    [Fact]
    public void FromF16Finite_EveryValue_IsExactOrLargeAndFinite()
    {
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var value = HalfFloats.FromF16Finite((ushort)bits);
            if ((bits & 0x7C00) != 0x7C00)
            {
                var expected = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
                Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(value));
            }
            else
            {
                Assert.True(float.IsFinite(value) && MathF.Abs(value) >= 65536f);
            }
        }
    }
}
