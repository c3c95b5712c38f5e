using BenchmarkDotNet.Attributes;
using Parallax.Runtime.Tokenization;

namespace Parallax.Benchmarks.Tokenization;

/// <summary>About 4 KB of English to tokens and, token by token, back.</summary>
[MemoryDiagnoser]
public class TokenizerBenchmarks
{
    private ITokenizer _tokenizer = null!;
    private IReadOnlyList<int> _ids = [];

    [GlobalSetup]
    public void Prepare()
    {
        _tokenizer = TokenizerLoader.FromFolder(DemoModel.Folder);
        _ids = _tokenizer.Encode(DemoModel.Text, parseSpecial: false, addSpecial: false);
    }

    [Benchmark]
    public int Encode() => _tokenizer.Encode(DemoModel.Text, parseSpecial: false, addSpecial: false).Count;

    [Benchmark]
    public int Detokenize() => Detokenize(null);

    [Benchmark]
    public int DetokenizeWithStops() => Detokenize(["\n\nUser:", "<|end|>"]);

    private int Detokenize(string[]? stops)
    {
        var text = new IncrementalDetokenizer(_tokenizer, stops);
        var length = 0;
        for (var i = 0; i < _ids.Count; i++)
        {
            length += text.Append(_ids[i]).Length;
        }

        return length;
    }
}
