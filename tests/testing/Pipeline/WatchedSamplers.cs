using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.Testing.Pipeline;

/// <summary>Notes a hash of the logits of every token that is drawn, so that runs can be compared bit for bit.</summary>
internal sealed class WatchedSamplers : ITokenSamplerFactory
{
    private readonly TokenSamplerFactory _inner = new();

    /// <summary>Hashes of each session's logits by token, in the order in which sessions were opened.</summary>
    public List<List<ulong>> Logits { get; } = [];

    public ITokenSampler Create(ImmutableArray<int> promptTokenIds, SamplingParameters parameters, int vocabularySize)
    {
        var hashes = new List<ulong>();
        Logits.Add(hashes);
        return new Watch(_inner.Create(promptTokenIds, parameters, vocabularySize), hashes);
    }

    private sealed class Watch(ITokenSampler inner, List<ulong> hashes) : ITokenSampler
    {
        public TokenChoice Sample(Span<float> logits, int tokenIndex)
        {
            if (tokenIndex != hashes.Count)
            {
                throw new InvalidOperationException($"token {tokenIndex} is drawn as number {hashes.Count}");
            }

            // FNV-1a over the bits, a word at a time.
            var hash = 14695981039346656037ul;
            foreach (var bits in MemoryMarshal.Cast<float, uint>(logits))
            {
                hash = (hash ^ bits) * 1099511628211ul;
            }

            hashes.Add(hash);
            return inner.Sample(logits, tokenIndex);
        }

        public void Append(int tokenId) => inner.Append(tokenId);
    }
}
