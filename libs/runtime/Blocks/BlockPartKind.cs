namespace Parallax.Runtime.Blocks;

/// <summary>What a part of a block holds for one layer.</summary>
public enum BlockPartKind
{
    /// <summary>The layer's keys and values.</summary>
    Kv = 1,

    /// <summary>The hidden states that leave the layer; kept at a stage's last layer only.</summary>
    Outputs = 2,
}
