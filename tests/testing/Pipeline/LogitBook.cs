using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.Testing.Pipeline;

/// <summary>
/// Notes a hash of the logits of every token that is drawn, by session (prompt and seed) and index, however often and by
/// whomever it is drawn; a token that is drawn again must be drawn from the same bits.
/// </summary>
internal sealed class LogitBook : ITokenSamplerFactory
{
    private readonly TokenSamplerFactory _inner = new();
    private readonly Dictionary<(string Session, int Index), ulong> _hashes = [];

    /// <summary>The first token that was drawn twice from different bits; null when none was.</summary>
    public string? Conflict { get; private set; }

    /// <summary>The hash of a token's logits; null when it was never drawn.</summary>
    public ulong? Find(ReadOnlySpan<int> prompt, SamplingParameters sampling, int index) =>
        _hashes.TryGetValue((KeyOf(prompt, sampling), index), out var hash) ? hash : null;

    public ITokenSampler Create(ImmutableArray<int> promptTokenIds, SamplingParameters parameters, int vocabularySize) =>
        new Watch(this, KeyOf(promptTokenIds.AsSpan(), parameters), _inner.Create(promptTokenIds, parameters, vocabularySize));

    private static string KeyOf(ReadOnlySpan<int> prompt, SamplingParameters sampling) => $"{sampling.Seed}: {string.Join(',', prompt.ToArray())}";

    private sealed class Watch(LogitBook book, string key, ITokenSampler inner) : ITokenSampler
    {
        public TokenChoice Sample(Span<float> logits, int tokenIndex)
        {
            // FNV-1a over the bits, a word at a time.
            var hash = 14695981039346656037ul;
            foreach (var bits in MemoryMarshal.Cast<float, uint>(logits))
            {
                hash = (hash ^ bits) * 1099511628211ul;
            }

            if (!book._hashes.TryAdd((key, tokenIndex), hash) && book._hashes[(key, tokenIndex)] != hash)
            {
                book.Conflict ??= $"token {tokenIndex} was drawn again from other logits";
            }

            return inner.Sample(logits, tokenIndex);
        }

        public void Append(int tokenId) => inner.Append(tokenId);
    }
}
