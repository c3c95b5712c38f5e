namespace Parallax.Testing.Execution;

/// <summary>One session on a <see cref="ShardChain"/>, and the transcript of what was computed for it.</summary>
internal sealed class ChainSession
{
    internal ChainSession(IEnumerable<int> tokens, int[][][] tables)
    {
        Tokens = [.. tokens];
        Tables = tables;
    }

    /// <summary>Known token ids; computed up to <see cref="Position"/>.</summary>
    public List<int> Tokens { get; }

    /// <summary>Positions computed.</summary>
    public int Position { get; internal set; }

    /// <summary>Residual stream after the last layer, by position.</summary>
    public List<float[]> Residuals { get; } = [];

    /// <summary>Logits by position, where they were wanted.</summary>
    public SortedDictionary<int, float[]> Logits { get; } = [];

    /// <summary>Block tables [shard][group].</summary>
    internal int[][][] Tables { get; }

    /// <summary>Where this transcript differs from another of the same tokens, or null.</summary>
    public string? Difference(ChainSession actual)
    {
        if (actual.Position != Position)
        {
            return $"{actual.Position} positions instead of {Position}";
        }

        for (var position = 0; position < Position; position++)
        {
            if (Bits.Difference(Residuals[position], actual.Residuals[position]) is { } residual)
            {
                return $"residual of position {position}: {residual}";
            }
        }

        if (!Logits.Keys.SequenceEqual(actual.Logits.Keys))
        {
            return "logits of other positions";
        }

        foreach (var (position, logits) in Logits)
        {
            if (Bits.Difference(logits, actual.Logits[position]) is { } difference)
            {
                return $"logits of position {position}: {difference}";
            }
        }

        return null;
    }
}
