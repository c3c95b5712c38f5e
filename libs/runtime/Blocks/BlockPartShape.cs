using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;

namespace Parallax.Runtime.Blocks;

/// <summary>How the values of a part are arranged: what must agree for its bytes to mean the same.</summary>
/// <param name="Element">Precision of a value.</param>
/// <param name="Heads">KV heads; 1 for outputs.</param>
/// <param name="Width">Values of one head and position; of outputs, the hidden size.</param>
/// <param name="ValueBytes">Bytes of all values.</param>
public readonly record struct BlockPartShape(ResidualPrecision Element, int Heads, int Width, int ValueBytes)
{
    /// <summary>Bytes of the whole part.</summary>
    public int Bytes => BlockPartForm.HeaderBytes + ValueBytes;

    /// <summary>Keys and values of one layer.</summary>
    /// <param name="attention">The layer's attention.</param>
    /// <param name="precision">Precision of KV.</param>
    /// <param name="valueBytes">Bytes of one block as <see cref="IModelShard.ReadKv"/> writes it.</param>
    public static BlockPartShape Kv(AttentionSpec attention, ResidualPrecision precision, int valueBytes)
    {
        ArgumentNullException.ThrowIfNull(attention);
        return new BlockPartShape(precision, attention.KvHeads, attention.HeadDim, valueBytes);
    }

    /// <summary>Hidden states of 16 positions, [16, hidden].</summary>
    public static BlockPartShape Outputs(int hiddenSize, ResidualPrecision precision) =>
        new(precision, 1, hiddenSize, KvGroup.BlockTokens * hiddenSize * (precision == ResidualPrecision.BF16 ? 2 : 4));
}
