using System.Text.Json;
using Parallax.Runtime.Tokenization;
using Parallax.Testing;

namespace Parallax.ReferenceTests.Tokenization;

/// <summary>Every text of golden/tokenizer_NAME.json against tokenizers/NAME.</summary>
public sealed class GoldenTokenizerTests
{
    public static TheoryData<string> Names()
    {
        var data = new TheoryData<string>();
        var folder = TestData.PathOf("golden");
        string[] files = Directory.Exists(folder) ? Directory.GetFiles(folder, "tokenizer_*.json") : [];
        foreach (var file in files.Order(StringComparer.Ordinal))
        {
            data.Add(Path.GetFileNameWithoutExtension(file)["tokenizer_".Length..]);
        }

        if (files.Length == 0)
        {
            data.Add("none"); // a row to skip with the reason: xunit counts a theory without rows as failed
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EncodeAndDecode_EveryGoldenText_EqualsTheReference(string name)
    {
        var folder = TestData.PathOf("tokenizers", name);
        Assert.SkipWhen(TestData.MissingReason(folder) is not null, TestData.MissingReason(folder) ?? string.Empty);
        var tokenizer = TokenizerLoader.FromFolder(folder);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(TestData.PathOf("golden", $"tokenizer_{name}.json")));

        var differing = new List<string>();
        foreach (var item in golden.RootElement.EnumerateArray())
        {
            var text = item.GetProperty("s").GetString()!;
            var ids = item.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray();
            var encoded = tokenizer.Encode(text, parseSpecial: true, addSpecial: true);
            if (!encoded.SequenceEqual(ids))
            {
                differing.Add($"encode {JsonSerializer.Serialize(text)}: {string.Join(',', encoded)} for {string.Join(',', ids)}");
            }

            var decoded = tokenizer.Decode(ids);
            var expected = item.GetProperty("dec").GetString();
            var streamed = Streaming.Decode(tokenizer, ids);
            if (decoded != expected || streamed != expected)
            {
                differing.Add($"decode {JsonSerializer.Serialize(expected)}: {JsonSerializer.Serialize(decoded)}, streamed {JsonSerializer.Serialize(streamed)}");
            }
        }

        Assert.True(golden.RootElement.GetArrayLength() > 0);
        Assert.True(differing.Count == 0, $"{differing.Count} differ:\n{string.Join('\n', differing.Take(10))}");
    }
}
