using Parallax.Runtime.Models;
using Parallax.Runtime.Weights;
using Parallax.Testing.Models;
using Parallax.Testing.Weights;

namespace Parallax.UnitTests.Weights;

public sealed class SafetensorsFolderTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public SafetensorsFolderTests()
    {
        _folder.Write("one.safetensors", new SafetensorsBuilder().Add("a", [1], [1]).Add("unlisted", [1], [9]).Build());
        _folder.Write("two.safetensors", new SafetensorsBuilder().Add("b", [2], [2, 3]).Build());
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_TwoFiles_GivesTheTensorsOfTheIndex()
    {
        using var weights = Open("""{"metadata":{"total_size":12},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""");
        Assert.Equal(_folder.Path, weights.Location);
        Assert.True(weights.Contains("a"));
        Assert.False(weights.Contains("unlisted"));
        Assert.Equal(1, weights.Open(new TensorRef("b"), 1, 2).Rows);
        Refusal.Of(() => weights.Open(new TensorRef("unlisted"), 1, 1), "'unlisted'", "missing");
    }

    [Theory]
    [InlineData("../one.safetensors")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/one.safetensors")]
    [InlineData("..\\\\one.safetensors")]
    [InlineData("C:one.safetensors")]
    [InlineData("one.safetensors\\u0000.txt")]
    public void Open_FileOutsideTheFolder_IsRefusedByTensor(string file) =>
        Refusal.Of(() => Open($$$"""{"weight_map":{"a":"{{{file}}}"}}"""), "index.json", "'a'", "plain file name");

    [Theory]
    [InlineData("""{"weight_map":{"a":"three.safetensors"}}""", "three.safetensors")]
    [InlineData("""{"weight_map":{"b":"one.safetensors"}}""", "'b'")]
    [InlineData("""{"weight_map":{"a":1}}""", "'a'")]
    [InlineData("""{"weight_map":[]}""", "weight_map")]
    [InlineData("""{}""", "weight_map")]
    [InlineData("""[]""", "object")]
    [InlineData("""{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}""", "JSON")]
    [InlineData("""{"weight_map":""", "JSON")]
    [InlineData("""{"weight_map":{"\udfff":"one.safetensors"}}""", "index.json")]
    [InlineData("""{"weight_map":{"a":"\udfff"}}""", "index.json")]
    public void Open_WrongIndex_IsRefused(string index, string mention) => Refusal.Of(() => Open(index), mention);

    [Fact]
    public void Open_DeeplyNestedIndex_IsRefused() =>
        Refusal.Of(() => Open($"{{\"weight_map\":{new string('[', 100_000)}}}"), "index.json", "JSON");

    private SafetensorsFolder Open(string index) => SafetensorsFolder.Open(_folder.Write("model.safetensors.index.json", index));
}
