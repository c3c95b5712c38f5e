using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
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

    /// <summary>
    /// No step follows at once, as far as is known: compute threads need not stand ready. A hint; nothing depends on it.
    /// </summary>
    void Rest()
    {
    }
}
