using BenchmarkDotNet.Attributes;
using Parallax.Runtime.Sampling;

namespace Parallax.Benchmarks.Sampling;

/// <summary>One token drawn from the logits of a large vocabulary. Copying the logits, which drawing overwrites, is part of it.</summary>
[MemoryDiagnoser]
public class SamplerBenchmarks
{
    private const int Vocabulary = 151_936;
    private readonly float[] _logits = new float[Vocabulary];
    private readonly float[] _scratch = new float[Vocabulary];
    private readonly Sampler _sampler = new(Vocabulary);
    private readonly TokenHistory _history = new([.. Enumerable.Range(0, 512)], [.. Enumerable.Range(100, 64)]);
    private SamplingParameters _parameters = null!;

    [Params("greedy", "temperature", "top-k 40, top-p 0.95", "top-p 0.95", "penalties")]
    public string Kind { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        var random = new Random(1);
        for (var i = 0; i < Vocabulary; i++)
        {
            // The sum of uniform numbers is near enough to the bell that logits form.
            _logits[i] = (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) * 6;
        }

        var plain = new SamplingParameters { MaxTokens = 1, Seed = 7 };
        _parameters = Kind switch
        {
            "greedy" => plain with { Temperature = 0 },
            "temperature" => plain with { Temperature = 0.7f },
            "top-k 40, top-p 0.95" => plain with { Temperature = 0.7f, TopK = 40, TopP = 0.95f },
            "top-p 0.95" => plain with { Temperature = 0.7f, TopP = 0.95f },
            _ => plain with { Temperature = 0.7f, RepetitionPenalty = 1.1f, FrequencyPenalty = 0.1f },
        };
    }

    [Benchmark]
    public int Sample()
    {
        _logits.CopyTo(_scratch, 0);
        return _sampler.Sample(_scratch, _parameters, _history, 3).TokenId;
    }
}
