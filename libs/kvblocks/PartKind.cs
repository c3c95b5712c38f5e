namespace Parallax.KvBlocks;

/// <summary>What a part holds.</summary>
public enum PartKind : byte
{
    /// <summary>The K and V of one layer.</summary>
    Kv = 1,

    /// <summary>The hidden states that leave one layer.</summary>
    Outputs = 2,
}
