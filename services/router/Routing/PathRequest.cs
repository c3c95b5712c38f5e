using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Routing;

/// <summary>What a path is wanted for.</summary>
internal sealed record PathRequest
{
    /// <summary>Steps over which one-off costs are spread when an answer's length is unknown.</summary>
    public const int UsualAnswer = 256;

    /// <summary>Sessions to open on it; all must have room.</summary>
    public int Sessions { get; init; } = 1;

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Tokens that the answer may have: prompt and answer must be within every stage's context limit.</summary>
    public int MaxTokens { get; init; } = 1;

    /// <summary>Bytes of one position's hidden state on a link; 0: unknown, then transfers cost nothing.</summary>
    public long HiddenBytes { get; init; }

    /// <summary>The class that the path must be of, e.g. of a session that runs already; null: any.</summary>
    public NumericClass? NumericClass { get; init; }

    /// <summary>Leading tokens of the prompt that a worker has cached, by worker id; null: nobody has any.</summary>
    public IReadOnlyDictionary<string, int>? CachedTokens { get; init; }

    /// <summary>The prompt by its blocks, by which it is found out who has cached how much of it; null: it is not looked for.</summary>
    public PromptPrefix? Prefix { get; init; }

    /// <summary>
    /// Leading tokens of the prompt that each shard of the map has cached, in the order of the map's nodes; empty: nobody has
    /// any. The stages of a path all begin at the least of theirs.
    /// </summary>
    public ReadOnlyMemory<int> CachedByNode { get; init; }

    /// <summary>Shards that hold the session's state already: they have room for it, and all others must be refilled.</summary>
    public IReadOnlySet<(string WorkerId, LayerRange Range)>? Kept { get; init; }

    /// <summary>Workers that must not be on the path.</summary>
    public IReadOnlySet<string>? Avoided { get; init; }

    /// <summary>False leaves out what depends on the moment: free places and KV room. It asks what could be served.</summary>
    public bool NeedsRoom { get; init; } = true;

    /// <summary>
    /// The same for a session that goes on over other stages: each of these is refilled by itself, so that what it has cached
    /// counts alone, and not what all have.
    /// </summary>
    /// <param name="map">Who serves the model.</param>
    /// <param name="cached">Leading tokens that each shard has cached, in the order of the map's nodes; empty: nobody has any.</param>
    public PathRequest RefilledFrom(PathMap map, ReadOnlySpan<int> cached)
    {
        if (cached.IsEmpty)
        {
            return this;
        }

        var byWorker = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < map.Nodes.Length; i++)
        {
            var worker = map.Nodes[i].WorkerId;
            byWorker[worker] = Math.Min(cached[i], byWorker.GetValueOrDefault(worker, int.MaxValue)); // of several shards of one the least
        }

        foreach (var (worker, tokens) in CachedTokens ?? new Dictionary<string, int>())
        {
            byWorker[worker] = tokens;
        }

        return this with { CachedTokens = byWorker };
    }

    /// <summary>The answer's length as it is planned for.</summary>
    public int ExpectedTokens => Math.Clamp(MaxTokens, 1, UsualAnswer);

    /// <summary>
    /// Positions of KV that a session is expected to need; an answer's last token needs none. There must be room for one
    /// session: further choices of the same request may wait at the worker.
    /// </summary>
    public long KvTokens => (long)PromptTokens + ExpectedTokens - 1;
}
