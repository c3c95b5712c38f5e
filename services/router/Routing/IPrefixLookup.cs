namespace Parallax.Router.Routing;

/// <summary>Knows who has cached which prompts. Thread-safe.</summary>
internal interface IPrefixLookup
{
    /// <summary>Leading tokens of a prompt that each shard of a map has cached, in the order of its nodes; empty when nobody has any.</summary>
    ReadOnlyMemory<int> CachedTokens(PathMap map, PromptPrefix prompt);
}
