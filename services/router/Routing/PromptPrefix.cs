using System.Collections.Concurrent;
using System.Collections.Immutable;
using Parallax.Runtime.Execution;
using Parallax.Runtime.KvCache;

namespace Parallax.Router.Routing;

/// <summary>A prompt as prefix caches know it: by the chained hashes of its full blocks, in each numeric class. Thread-safe.</summary>
/// <param name="tokenIds">The prompt.</param>
/// <param name="salt">Separates prefix caches, as sessions say it to workers.</param>
internal sealed class PromptPrefix(ImmutableArray<int> tokenIds, string salt)
{
    /// <summary>Blocks that are looked for at most: 131,072 tokens.</summary>
    public const int MaxBlocks = 8192;

    private readonly ConcurrentDictionary<NumericClass, UInt128[]> _chains = [];

    /// <summary>The hashes, without the block of the last token: that one is computed in any case.</summary>
    public ReadOnlySpan<UInt128> Chain(NumericClass numericClass) => _chains.GetOrAdd(
        numericClass,
        static (numerics, prompt) => BlockChain.Of(numerics, prompt.Salt, prompt.Ids.AsSpan(0, Math.Max(0, prompt.Ids.Length - 1)), MaxBlocks),
        (Ids: tokenIds, Salt: salt));
}
