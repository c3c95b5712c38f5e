using System.Buffers.Binary;
using System.Text;
using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;
using Parallax.Testing.Models;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Weights;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_MatrixAndVector_GivesTheirBytes()
    {
        using var file = OpenFile(new SafetensorsBuilder().Add("m", [2, 3], [1, 2, 3, 4, 5, 6]).Add("v", [3], [7, 8, 9]).Build());
        var matrix = file.Open(new TensorRef("m"), 2, 3);
        Assert.Equal([4f, 5f, 6f], Decoded(matrix, 1));
        Assert.Equal([7f, 8f, 9f], Decoded(file.Open(new TensorRef("v"), 1, 3), 0));
        Assert.True(file.Contains("m"));
        Assert.False(file.Contains("M"));
        Assert.Equal(2, file.Tensors.Count);
    }

    [Fact]
    public void Open_SliceOfStack_GivesOneMatrix()
    {
        using var file = OpenFile(new SafetensorsBuilder().Add("stack", [3, 1, 2], [1, 2, 3, 4, 5, 6]).Build());
        Assert.Equal([5f, 6f], Decoded(file.Open(new TensorRef("stack", 2), 1, 2), 0));
        Refusal.Of(() => file.Open(new TensorRef("stack", 3), 1, 2), "stack", "[3, 1, 2]");
        Refusal.Of(() => file.Open(new TensorRef("stack", -1), 1, 2), "stack");
        Refusal.Of(() => file.Open(new TensorRef("stack"), 3, 2), "stack");
    }

    [Fact]
    public void Open_HalfPrecisions_AreOpened()
    {
        using var file = OpenFile(new SafetensorsBuilder().Add("f16", "F16", [2], [0x00, 0x3C, 0x00, 0xC0]).Add("bf16", "BF16", [1], [0x80, 0x3F]).Build());
        Assert.Equal([1f, -2f], Decoded(file.Open(new TensorRef("f16"), 1, 2), 0));
        Assert.Equal([1f], Decoded(file.Open(new TensorRef("bf16"), 1, 1), 0));
    }

    [Fact]
    public void Open_MetadataPaddingAndEmptyTensor_AreAccepted()
    {
        var builder = new SafetensorsBuilder().Add("empty", "F32", [0, 4], []).Add("x", [1], [1]);
        var header = builder.Header().Insert(1, "\"__metadata__\":{\"format\":\"pt\"},") + "     ";
        using var file = OpenFile(builder.Build(header));
        Assert.Equal(2, file.Tensors.Count);
    }

    [Theory]
    [InlineData("F8_E4M3", 1)]
    [InlineData("I32", 4)]
    [InlineData("F64", 8)]
    [InlineData("Q9_NEW", 3)]
    public void Open_OtherDtype_IsListedAndRefusedWhenOpened(string dtype, int bytes)
    {
        using var file = OpenFile(new SafetensorsBuilder().Add("w", dtype, [2], new byte[2 * bytes]).Build());
        Assert.Equal(dtype, file.Tensor("w").Dtype);
        Refusal.Of(() => file.Open(new TensorRef("w"), 1, 2), "model.safetensors", "'w'", dtype, "not supported");
    }

    [Fact]
    public void Open_MissingTensorOrOtherShape_NamesFileTensorAndShapes()
    {
        using var file = OpenFile(new SafetensorsBuilder().Add("w", [2, 3], new float[6]).Build());
        Refusal.Of(() => file.Open(new TensorRef("absent"), 2, 3), "model.safetensors", "'absent'", "missing", "[2, 3]");
        Refusal.Of(() => file.Open(new TensorRef("w"), 3, 2), "model.safetensors", "'w'", "[2, 3]", "[3, 2]");
        Refusal.Of(() => file.Open(new TensorRef("w"), 1, 6), "[2, 3]", "[6]");
    }

    [Fact]
    public void Open_CutAnywhere_IsRefused()
    {
        var whole = new SafetensorsBuilder().Add("a", [4], new float[4]).Add("b", [2, 2], new float[4]).Build();
        for (var length = 0; length < whole.Length; length++)
        {
            var cut = whole[..length];
            Refusal.Of(() => OpenFile(cut), "model.safetensors");
        }
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData((ulong)long.MaxValue)]
    [InlineData(1UL << 40)]
    [InlineData(0UL)]
    [InlineData(1UL)]
    public void Open_LyingHeaderLength_IsRefused(ulong length)
    {
        var bytes = new SafetensorsBuilder().Add("a", [4], new float[4]).Build();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        Refusal.Of(() => OpenFile(bytes), "header");
    }

    [Theory]
    [InlineData(0, 20, "bytes are not those")]
    [InlineData(16, 0, "do not lie")]
    [InlineData(0, 1000, "do not lie")]
    [InlineData(-4, 12, "data_offsets")]
    [InlineData(long.MaxValue - 16, long.MaxValue, "do not lie")]
    public void Open_WrongRange_IsRefused(long start, long end, string problem) =>
        Refusal.Of(() => OpenFile(new SafetensorsBuilder().Add("ok", [8], new float[8]).AddEntry("bad", "F32", [4], start, end).Build()), "'bad'", problem);

    [Fact]
    public void Open_OverlapHoleAndRest_AreRefused()
    {
        Refusal.Of(() => OpenFile(new SafetensorsBuilder().Add("a", [8], new float[8]).AddEntry("b", "F32", [4], 16, 32).Build()), "overlap", "'a'", "'b'");
        Refusal.Of(() => OpenFile(SafetensorsBuilder.Assemble("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}"""u8, new byte[6])), "'a'", "4 bytes before");
        Refusal.Of(() => OpenFile(SafetensorsBuilder.Assemble("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"""u8, new byte[7])), "5 bytes after");
    }

    [Theory]
    [InlineData("[4611686018427387904, 4]")]
    [InlineData("[4294967296, 4294967296]")]
    [InlineData("[9223372036854775807, 9223372036854775807, 9223372036854775807, 9223372036854775807]")]
    [InlineData("[99999999999999999999]")]
    [InlineData("[1.5]")]
    [InlineData("[-1]")]
    [InlineData("[1,1,1,1,1,1,1,1,4]")]
    [InlineData("4")]
    [InlineData("null")]
    public void Open_ImpossibleShape_IsRefused(string shape) => Refusal.Of(
        () => OpenFile(SafetensorsBuilder.Assemble(Encoding.UTF8.GetBytes($$$"""{"a":{"dtype":"F32","shape":{{{shape}}},"data_offsets":[0,16]}}"""), new byte[16])), "'a'");

    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"dtype":"I8","data_offsets":[0,1]}}""", "twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", "twice")]
    [InlineData("""{"__metadata__":{"a":1}}""", "__metadata__")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1]}}""", "data_offsets")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", "data_offsets")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}""", "data_offsets")]
    [InlineData("""{"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}}""", "dtype")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}}""", "more")]
    [InlineData("""{"a":[]}""", "'a'")]
    [InlineData("""[]""", "header")]
    [InlineData("""{} {}""", "JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}""", "JSON")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "JSON")]
    [InlineData("""{"a":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}""", "'a'")]
    public void Open_WrongHeader_IsRefused(string header, string problem) =>
        Refusal.Of(() => OpenFile(SafetensorsBuilder.Assemble(Encoding.UTF8.GetBytes(header), [0])), "model.safetensors", problem);

    [Fact]
    public void Open_NameThatIsNotUtf8_IsRefused()
    {
        byte[] header = [.. "{\""u8, 0xFF, 0xFE, .. "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}"u8];
        Refusal.Of(() => OpenFile(SafetensorsBuilder.Assemble(header, [0])), "JSON");
    }

    [Fact]
    public void Open_NamesWithControlCharacters_DoNotForgeLines()
    {
        using var file = OpenFile(new SafetensorsBuilder().Add("x", [1], [1]).Build());
        var error = Assert.Throws<ModelFormatException>(() => file.Open(new TensorRef("a\r\nerror: " + new string('z', 10_000)), 1, 1));
        Assert.DoesNotContain('\n', error.Message);
        Assert.True(error.Message.Length < 1000, $"{error.Message.Length} characters");
    }

    [Fact]
    public void Open_MissingFileOrFolder_IsRefused()
    {
        Refusal.Of(() => SafetensorsFile.Open(Path.Combine(_folder.Path, "absent.safetensors")), "absent.safetensors", "no such file");
        Refusal.Of(() => SafetensorsFile.Open(_folder.Path), _folder.Path);
    }

    private static float[] Decoded(WeightTensor tensor, int row)
    {
        var values = new float[tensor.Columns];
        BlockDecoder.Decode(tensor.Format, tensor.Row(row), values);
        return values;
    }

    private SafetensorsFile OpenFile(byte[] bytes) => SafetensorsFile.Open(_folder.Write("model.safetensors", bytes));
}
