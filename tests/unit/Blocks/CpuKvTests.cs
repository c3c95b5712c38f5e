using Parallax.Runtime.Cpu;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing.Models;

namespace Parallax.UnitTests.Blocks;

/// <summary>The plain form of a block: where which value stands.</summary>
public sealed class CpuKvTests
{
    [Theory]
    [InlineData(ResidualPrecision.BF16)]
    [InlineData(ResidualPrecision.F32)]
    public void ReadWrite_EveryValue_ComesBackAtItsPlace(ResidualPrecision precision)
    {
        using var folder = new ModelFolder();
        new TinyModel { Architecture = "llama" }.WriteHub(folder);
        using var model = ModelSource.Open(folder.Path);
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        using var kv = (CpuKv)backend.AllocateKv(model.Spec.Layers[0].Attention, 3, precision);
        var attention = model.Spec.Layers[0].Attention;
        var size = precision == ResidualPrecision.BF16 ? 2 : 4;
        Assert.Equal(attention.KvHeads * 2 * 16 * attention.HeadDim * size, kv.PlainBytes);
        var plain = new byte[kv.PlainBytes];
        for (var i = 0; i < plain.Length; i++)
        {
            plain[i] = (byte)(i % size == size - 1 ? 0x3F : i * 31); // nothing but finite numbers
        }

        Assert.True(kv.Write(1, plain));
        var back = new byte[plain.Length];
        Assert.True(kv.Read(1, back));
        Assert.Equal(plain, back);

        // Head 1, position 5, dimension 3: of the keys, and of the values behind them.
        var index = (((2 * 16) + 5) * attention.HeadDim) + 3;
        Assert.Equal(plain.AsSpan(index * size, size).ToArray(), At(kv, values: false, 1, 1, (3 * 16) + 5, size));
        index += 16 * attention.HeadDim;
        Assert.Equal(plain.AsSpan(index * size, size).ToArray(), At(kv, values: true, 1, 1, (5 * kv.PaddedHeadDim) + 3, size));

        // The neighbours are as they were.
        Assert.True(kv.Read(0, back));
        Assert.All(back, static value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData(ResidualPrecision.BF16, new byte[] { 0x80, 0x7F })]
    [InlineData(ResidualPrecision.BF16, new byte[] { 0xC0, 0xFF })]
    [InlineData(ResidualPrecision.F32, new byte[] { 0, 0, 0x80, 0xFF })]
    [InlineData(ResidualPrecision.F32, new byte[] { 1, 0, 0x80, 0x7F })]
    public void Write_ValueThatIsNoFiniteNumber_IsRefusedWhereverItStands(ResidualPrecision precision, byte[] value)
    {
        using var folder = new ModelFolder();
        new TinyModel { Architecture = "llama" }.WriteHub(folder);
        using var model = ModelSource.Open(folder.Path);
        using var backend = CpuBackend.Create(new CpuBackendOptions { Threads = 1 });
        using var kv = backend.AllocateKv(model.Spec.Layers[0].Attention, 1, precision);
        for (var at = 0; at < kv.PlainBytes; at += value.Length * 7)
        {
            var plain = new byte[kv.PlainBytes];
            value.CopyTo(plain, at);
            Assert.False(kv.Write(0, plain));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => kv.Write(0, new byte[kv.PlainBytes - 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => kv.Write(1, new byte[kv.PlainBytes]));
        var content = new byte[kv.PlainBytes];
        Assert.True(kv.Read(0, content));
        Assert.All(content, static value => Assert.Equal(0, value));
    }

    private static unsafe byte[] At(CpuKv kv, bool values, int block, int head, int element, int size) =>
        new ReadOnlySpan<byte>((values ? kv.Values(block, head) : kv.Keys(block, head)) + (element * size), size).ToArray();
}
