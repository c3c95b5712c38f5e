using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.Models;

namespace Parallax.Runtime.Execution;

/// <summary>
/// The weights of one layer range together with its KV storage, ready to compute. Not thread-safe: one loop
/// (the executor's) owns it. A chain of shards gives the same bits as the whole model.
/// </summary>
public interface IModelShard : IDisposable
{
    /// <summary>The whole model's description.</summary>
    ModelSpec Spec { get; }

    /// <summary>The decoder layers held.</summary>
    LayerRange Range { get; }

    /// <summary>Whether it starts from token ids (holds the embedding).</summary>
    bool HasEmbedding { get; }

    /// <summary>Whether it ends in logits (holds the final norm and the LM head).</summary>
    bool HasHead { get; }

    /// <summary>What its results' bits depend on.</summary>
    NumericClass NumericClass { get; }

    /// <summary>The groups of layers that share a block table; the order of a slice's block tables.</summary>
    ImmutableArray<KvGroup> KvGroups { get; }

    /// <summary>Physical blocks of each KV group, [groups].</summary>
    ImmutableArray<int> KvBlockCounts { get; }

    /// <summary>
    /// Computes one step: writes the rows' keys and values into their blocks and returns the results.
    /// </summary>
    /// <param name="batch">The rows.</param>
    /// <param name="hidden">
    /// Residual stream [rows, hidden]: read when the shard has no embedding, written when it has no head.
    /// May be empty for a whole model.
    /// </param>
    /// <param name="logits">[LogitRows.Count, vocabulary], written when the shard has the head; otherwise empty.</param>
    void Forward(StepBatch batch, Span<float> hidden, Span<float> logits);

    /// <summary>How the values of one KV block of a layer are arranged as <see cref="ReadKv"/> writes them.</summary>
    /// <param name="layer">Absolute index, one of <see cref="Range"/>.</param>
    BlockPartShape KvShape(int layer);

    /// <summary>
    /// Copies one layer's keys and values of a full block out, in a form that is equal for all shards and backends of the
    /// numeric class: per KV head, keys [16, headDim], then values [16, headDim], little-endian, in the KV precision's bits.
    /// </summary>
    /// <param name="layer">Absolute index, one of <see cref="Range"/>.</param>
    /// <param name="block">The physical block, of the layer's KV group.</param>
    /// <param name="plain"><see cref="BlockPartShape.ValueBytes"/> bytes.</param>
    /// <returns>False when a value is not a finite number: nobody else must be given it.</returns>
    bool ReadKv(int layer, int block, Span<byte> plain);

    /// <summary>
    /// The inverse of <see cref="ReadKv"/>: as if the block's positions had been computed here. False, and nothing is
    /// written, when a value is not a finite number.
    /// </summary>
    bool WriteKv(int layer, int block, ReadOnlySpan<byte> plain);

    /// <summary>
    /// No step follows at once, as far as is known: compute threads need not stand ready. A hint; nothing depends on it.
    /// </summary>
    void Rest()
    {
    }
}
