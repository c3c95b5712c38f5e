using CsCheck;
using Parallax.Transport.Compression;

namespace Parallax.UnitTests.Transport.Compression;

public sealed class Q8BlockTests
{
    [Fact]
    public void Decode_AnyFiniteRow_IsWithinTheStatedBound() =>
        Gen.Float[-1e30f, 1e30f].Array[1, 100].Sample(values => AssertBound(values), iter: 3000);

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(4096)]
    public void Decode_NormalRows_AreWithinTheStatedBound(int width)
    {
        var random = new Random(3);
        AssertBound([.. Enumerable.Range(0, width).Select(_ => (float)((random.NextDouble() + random.NextDouble() - 1) * 8))]);
    }

    [Fact]
    public void Decode_ZerosTinyAndLargest_AreHandled()
    {
        AssertBound(new float[32]);
        Assert.All(RoundTrip([1e-40f, -1e-41f]), value => Assert.Equal(0, value));
        AssertBound([float.MaxValue, -float.MaxValue, 1]);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Decode_BrokenValue_MakesItsBlockNaNAndNoOther(float broken)
    {
        var values = Enumerable.Repeat(1f, 64).ToArray();
        values[5] = broken;

        var decoded = RoundTrip(values);

        Assert.All(decoded[..32], value => Assert.True(float.IsNaN(value)));
        Assert.All(decoded[32..], value => Assert.Equal(1, value, 5));
    }

    [Fact]
    public void Encode_WrongLength_Throws() => Assert.Throws<ArgumentException>(() => Q8Block.Encode(new float[33], new byte[36]));

    private static void AssertBound(float[] values)
    {
        var decoded = RoundTrip(values);
        for (var block = 0; block < values.Length; block += Q8Block.BlockSize)
        {
            var end = Math.Min(block + Q8Block.BlockSize, values.Length);
            var largest = values[block..end].Max(value => Math.Abs((double)value));
            for (var i = block; i < end; i++)
            {
                var error = Math.Abs((double)values[i] - decoded[i]);
                Assert.True(
                    error <= (largest * ((1.0 / 254) + Math.ScaleB(1, -20))) || largest < 1e-35,
                    $"{values[i]} became {decoded[i]} in a block up to {largest}");
            }
        }
    }

    private static float[] RoundTrip(float[] values)
    {
        var bytes = new byte[Q8Block.EncodedBytes(values.Length)];
        Q8Block.Encode(values, bytes);
        var decoded = new float[values.Length];
        Q8Block.Decode(bytes, decoded);
        return decoded;
    }
}
