using System.Buffers.Binary;
using System.Text;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;
using Parallax.Testing;
using Parallax.Testing.Models;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Weights;

public sealed class GgufFileTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Metadata_EveryType_IsRead()
    {
        using var file = OpenFile(new GgufBuilder()
            .Set("u8", (byte)200).Set("i8", (sbyte)-3).Set("u16", (ushort)60000).Set("i16", (short)-300)
            .Set("u32", 4_000_000_000U).Set("i32", -5).Set("f32", 1.5f).Set("true", true).Set("text", "h\u00e9llo")
            .Set("u64", 1UL << 40).Set("i64", -1L << 40).Set("f64", 0.1)
            .Set("texts", new[] { "a", "", "\u4e2d" }).Set("floats", new[] { 1f, 2f }).Set("ints", new[] { 1, -2 })
            .Set("flags", new[] { true, false }).Set("empty", Array.Empty<int>())
            .Set("nested", new object[] { new[] { 1, 2 }, new[] { "x", "y" }, Array.Empty<int>() }));
        var m = file.Metadata;
        Assert.Equal([200L, -3, 60000, -300, 4_000_000_000, -5, 1L << 40, -1L << 40], new[] { "u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64" }.Select(k => m[k].AsInteger()));
        Assert.Equal(1.5, m["f32"].AsNumber());
        Assert.Equal(0.1, m["f64"].AsNumber());
        Assert.Equal(-5.0, m["i32"].AsNumber());
        Assert.True(m["true"].AsBoolean());
        Assert.Equal("h\u00e9llo", m["text"].AsText());
        Assert.Equal(["a", "", "\u4e2d"], Enumerable.Range(0, m["texts"].Count).Select(m["texts"].TextAt));
        Assert.True(m["texts"].Utf8At(2).SequenceEqual("\u4e2d"u8));
        Assert.Equal([1f, 2f], m["floats"].ToSingles());
        Assert.Equal([1, -2], m["ints"].ToInt32s());
        Assert.False(m["flags"].BooleanAt(1));
        Assert.Equal(0, m["empty"].Count);
        Assert.Equal([1, 2], m["nested"].ArrayAt(0).ToInt32s());
        Assert.Equal("y", m["nested"].ArrayAt(1).TextAt(1));
        Assert.Equal(0, m["nested"].ArrayAt(2).Count);
        Assert.Null(m.Find("absent"));
        Refusal.Of(() => m["absent"], "model.gguf", "'absent'", "missing");
    }

    [Fact]
    public void Metadata_WrongType_NamesKeyAndTypes()
    {
        using var file = OpenFile(new GgufBuilder().Set("text", "x").Set("number", 1U).Set("texts", new[] { "x" }).Set("big", ulong.MaxValue).Set("wide", new[] { 1L << 40 }));
        var m = file.Metadata;
        Refusal.Of(() => m["text"].AsInteger(), "'text'", "Text", "whole number");
        Refusal.Of(() => m["text"].AsNumber(), "'text'");
        Refusal.Of(() => m["number"].AsText(), "'number'", "U32");
        Refusal.Of(() => m["number"].AsBoolean(), "'number'");
        Refusal.Of(() => m["number"].ToInt32s(), "'number'");
        Refusal.Of(() => m["texts"].NumberAt(0), "'texts'", "array of Text");
        Refusal.Of(() => m["texts"].ArrayAt(0), "'texts'");
        Refusal.Of(() => m["big"].AsInteger(), "'big'", "63 bits");
        Refusal.Of(() => m["wide"].ToInt32s(), "'wide'", "32 bits");
        Assert.Throws<ArgumentOutOfRangeException>(() => m["texts"].TextAt(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => m["wide"].IntegerAt(-1));
    }

    [Fact]
    public void Metadata_TextThatIsNotUtf8_IsRefusedWhenDecoded()
    {
        byte[] bad = [8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFE];
        using var file = OpenFile(new GgufBuilder().SetRaw("bad", bad));
        Assert.Equal(2, file.Metadata["bad"].AsUtf8().Length);
        Refusal.Of(() => file.Metadata["bad"].AsText(), "'bad'", "UTF-8");
    }

    [Theory]
    [InlineData(TensorFormat.F32)]
    [InlineData(TensorFormat.F16)]
    [InlineData(TensorFormat.BF16)]
    [InlineData(TensorFormat.Q4_0)]
    [InlineData(TensorFormat.Q4_1)]
    [InlineData(TensorFormat.Q5_0)]
    [InlineData(TensorFormat.Q5_1)]
    [InlineData(TensorFormat.Q8_0)]
    [InlineData(TensorFormat.Q4_K)]
    [InlineData(TensorFormat.Q5_K)]
    [InlineData(TensorFormat.Q6_K)]
    public void Open_EveryFormat_GivesTheRowsOfEachSlice(TensorFormat format)
    {
        var rowBytes = (int)format.RowBytes(512);
        var bytes = new byte[3 * 2 * rowBytes];
        new Random(5).NextBytes(bytes);
        using var file = OpenFile(new GgufBuilder().Set("k", 1U).Add("before", TensorFormat.F32, [1], new byte[4]).Add("experts", format, [3, 2, 512], bytes));
        for (var slice = 0; slice < 3; slice++)
        {
            var tensor = file.Open(new TensorRef("experts", slice), 2, 512);
            Assert.Equal(format, tensor.Format);
            Assert.True(tensor.Row(1).SequenceEqual(bytes.AsSpan(((slice * 2) + 1) * rowBytes, rowBytes)));
        }

        Refusal.Of(() => file.Open(new TensorRef("experts", 0), 512, 2), "[3, 2, 512]");
    }

    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    [InlineData(4096)]
    public void Open_OtherAlignment_FindsTensors(int alignment)
    {
        using var file = OpenFile(new GgufBuilder().SetAlignment(alignment).Add("a", TensorFormat.F32, [1], [1, 2, 3, 4]).Add("b", TensorFormat.F32, [1], [5, 6, 7, 8]));
        Assert.Equal([5, 6, 7, 8], file.Open(new TensorRef("b"), 1, 1).Row(0).ToArray());
    }

    [Fact]
    public void Open_Version2_IsRead()
    {
        using var file = OpenFile(new GgufBuilder { Version = 2 }.Set("k", 1U));
        Assert.Equal(1, file.Metadata["k"].AsInteger());
    }

    [Theory]
    [InlineData(1U, "version 1")]
    [InlineData(4U, "version 4")]
    [InlineData(0x03000000U, "big-endian")]
    public void Open_OtherVersion_IsRefused(uint version, string mention) => Refusal.Of(() => OpenFile(new GgufBuilder { Version = version }.Set("k", 1U).Set("padding", "0123456789012345678901234567890123456789")), mention);

    [Theory]
    [InlineData(10U, "Q2_K", 84)]
    [InlineData(39U, "MXFP4", 136)]
    [InlineData(99U, "99", 0)]
    public void Open_UnsupportedType_IsListedAndRefusedWhenOpened(uint type, string name, int bytes)
    {
        using var file = OpenFile(new GgufBuilder().AddRaw("w", type, [1, 256], new byte[bytes]));
        Refusal.Of(() => file.Open(new TensorRef("w"), 1, 256), "model.gguf", "'w'", name, "not supported");
    }

    [Fact]
    public void Open_CutAnywhere_IsRefused()
    {
        var whole = new GgufBuilder().Set("n", 1U).Set("t", new[] { "abc", "de" }).Add("a", TensorFormat.F32, [2, 4], new byte[32]).Build();
        for (var length = 0; length < whole.Length; length++)
        {
            var cut = whole[..length];
            Refusal.Of(() => OpenBytes(cut), "model.gguf");
        }
    }

    [Theory]
    [InlineData(ulong.MaxValue, null)]
    [InlineData(1UL << 40, null)]
    [InlineData(null, ulong.MaxValue)]
    [InlineData(null, 1UL << 32)]
    [InlineData(5UL, null)]
    [InlineData(null, 5UL)]
    public void Open_LyingCounts_AreRefusedWithoutAllocating(ulong? tensors, ulong? metadata)
    {
        var bytes = new GgufBuilder().Set("k", 1U).Add("a", TensorFormat.F32, [1], new byte[4]).Build(tensors, metadata);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refusal.Of(() => OpenBytes(bytes), "model.gguf");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData(8, ulong.MaxValue)]
    [InlineData(8, 1UL << 62)]
    [InlineData(8, 1000UL)]
    public void Open_LyingTextLength_IsRefused(byte type, ulong length)
    {
        var value = new byte[12];
        value[0] = type;
        BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(4), length);
        Refusal.Of(() => OpenFile(new GgufBuilder().SetRaw("k", value)), "'k'");
    }

    [Theory]
    [InlineData(0, ulong.MaxValue)]
    [InlineData(8, 1UL << 61)]
    [InlineData(9, 1UL << 60)]
    [InlineData(10, 1UL << 61)]
    [InlineData(6, 1000UL)]
    [InlineData(77, 0UL)]
    public void Open_LyingArray_IsRefused(byte elementType, ulong count)
    {
        var value = new byte[16];
        value[0] = 9;
        value[4] = elementType;
        BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(8), count);
        Refusal.Of(() => OpenFile(new GgufBuilder().SetRaw("k", value)), "'k'");
    }

    [Fact]
    public void Open_ArraysNestedTooDeep_AreRefused()
    {
        object value = new[] { 1 };
        for (var depth = 0; depth < 7; depth++)
        {
            value = new[] { value };
        }

        using (var file = OpenFile(new GgufBuilder().Set("k", value)))
        {
            Assert.Equal(1, file.Metadata["k"].Count);
        }

        for (var depth = 0; depth < 300; depth++)
        {
            value = new[] { value };
            if (depth is 0 or 299)
            {
                Refusal.Of(() => OpenFile(new GgufBuilder().Set("k", value)), "'k'", "nested");
            }
        }
    }

    [Fact]
    public void Open_DuplicatesAndUnknownTypes_AreRefused()
    {
        Refusal.Of(() => OpenFile(new GgufBuilder().Set("k", 1U).Set("k", 2U)), "'k'", "twice");
        Refusal.Of(() => OpenFile(new GgufBuilder().Add("a", TensorFormat.F32, [1], new byte[4]).Add("a", TensorFormat.F32, [1], new byte[4])), "'a'", "twice");
        Refusal.Of(() => OpenFile(new GgufBuilder().SetRaw("k", 13, 0, 0, 0, 1, 0, 0, 0)), "'k'", "13");
        Refusal.Of(() => OpenFile(new GgufBuilder().SetRaw("", 0, 0, 0, 0, 1)), "name");
    }

    [Fact]
    public void Open_WrongExtents_AreRefused()
    {
        Refusal.Of(() => OpenFile(new GgufBuilder().Add("a", TensorFormat.F32, [8], new byte[32]).AddRaw("b", 0, [8], [], offset: 0)), "overlap", "'a'", "'b'");
        Refusal.Of(() => OpenFile(new GgufBuilder().AddRaw("b", 0, [8], new byte[32], offset: 32)), "'b'", "32 bytes at 32");
        Refusal.Of(() => OpenFile(new GgufBuilder().AddRaw("b", 0, [8], new byte[32], offset: ulong.MaxValue - 31)), "'b'");
        Refusal.Of(() => OpenFile(new GgufBuilder().AddRaw("b", 0, [8], new byte[64], offset: 4)), "'b'", "alignment");
        Refusal.Of(() => OpenFile(new GgufBuilder().AddRaw("b", 0, [long.MaxValue, 2], new byte[32])), "'b'", "overflow");
        Refusal.Of(() => OpenFile(new GgufBuilder().AddRaw("b", 0, [-1, 2], new byte[32])), "'b'", "overflow");
        Refusal.Of(() => OpenFile(new GgufBuilder().AddRaw("b", 0, [1L << 31, 1L << 31], new byte[32])), "'b'");
        Refusal.Of(() => OpenFile(new GgufBuilder().AddRaw("b", 0, [1, 1, 1, 1, 1], new byte[32])), "'b'", "5 dimensions");
        Refusal.Of(() => OpenFile(new GgufBuilder().AddRaw("b", 0, [], new byte[32])), "'b'", "0 dimensions");
        Refusal.Of(() => OpenFile(new GgufBuilder().AddRaw("b", 2, [33], new byte[32])), "'b'", "Q4_0");
        Refusal.Of(() => OpenFile(new GgufBuilder().AddRaw("b", 12, [2, 128], new byte[256])), "'b'", "Q4_K");
    }

    [Theory]
    [InlineData(0U)]
    [InlineData(3U)]
    [InlineData(1U << 31)]
    public void Open_WrongAlignment_IsRefused(uint alignment) => Refusal.Of(() => OpenFile(new GgufBuilder().Set("general.alignment", alignment)), "'general.alignment'");

    [Fact]
    public void Open_NotGguf_IsRefused() => Refusal.Of(() => OpenBytes(Encoding.UTF8.GetBytes(new string('x', 100))), "not a GGUF file");

    [Fact]
    public void Metadata_ManyTexts_AreNotCopied()
    {
        var texts = Enumerable.Range(0, 20_000).Select(i => $"token{i}").ToArray();
        using var file = OpenFile(new GgufBuilder().Set("tokens", texts));
        var value = file.Metadata["tokens"];
        Assert.Equal("token19999", value.TextAt(19_999));
        var length = 0;
        Assert.Equal(0, Allocations.OfWarm(() =>
        {
            length = 0;
            for (var i = 0; i < value.Count; i++)
            {
                length += value.Utf8At(i).Length;
            }
        }));
        Assert.Equal(texts.Sum(t => t.Length), length);
    }

    private GgufFile OpenFile(GgufBuilder builder) => OpenBytes(builder.Build());

    private GgufFile OpenBytes(byte[] bytes) => GgufFile.Open(_folder.Write("model.gguf", bytes));
}
