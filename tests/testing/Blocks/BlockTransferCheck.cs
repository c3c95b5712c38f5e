using Parallax.Runtime.Blocks;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Models;
using Parallax.Testing.Execution;

namespace Parallax.Testing.Blocks;

/// <summary>
/// A model computes a text on one chain of shards; its full blocks are carried to another chain, cut elsewhere and on
/// another instruction set, part by part; both go on, and must agree in every bit.
/// </summary>
internal static class BlockTransferCheck
{
    /// <param name="model">The model.</param>
    /// <param name="from">What computes first.</param>
    /// <param name="fromCuts">How that is cut.</param>
    /// <param name="to">What goes on.</param>
    /// <param name="toCuts">How that is cut.</param>
    /// <param name="precision">The numeric class's.</param>
    /// <param name="tokens">The text; the blocks of its first half are carried.</param>
    /// <returns>What differs; null when nothing does.</returns>
    public static string? Difference(
        ModelSource model, IComputeBackend from, int[] fromCuts, IComputeBackend to, int[] toCuts, ResidualPrecision precision, int[] tokens)
    {
        var blocks = tokens.Length / 2 / KvGroup.BlockTokens;
        var carried = blocks * KvGroup.BlockTokens;
        using var source = ShardChain.Load(model, from, new ShardChainOptions { Residual = precision, Cuts = fromCuts });
        using var target = ShardChain.Load(
            model, new PoisonedKvBackend(to), new ShardChainOptions { Residual = precision, Cuts = toCuts, BlockOrder = -1 });

        // 1. What the target computes for the text's second half is what the source computes.
        var expected = source.Open(tokens);
        var actual = target.Open(tokens);
        var other = target.Open(tokens.Reverse().ToArray()); // takes the blocks that the carried ones would lie in otherwise
        target.Step((other, KvGroup.BlockTokens));
        source.Step((expected, carried));
        target.Step((actual, carried)); // for its tables; the values are overwritten
        var parts = Export(source, expected, blocks);
        Wipe(target, actual, blocks);
        if (Import(target, actual, blocks, parts) is { } fault)
        {
            return fault;
        }

        // 2. Token by token, and the rest in one step.
        for (var chunk = 1; expected.Position < tokens.Length; chunk = tokens.Length - expected.Position)
        {
            for (var i = 0; i < 3 && chunk == 1 && expected.Position < tokens.Length; i++)
            {
                source.Step((expected, 1));
                target.Step((actual, 1));
            }

            if (expected.Position < tokens.Length)
            {
                source.Step((expected, tokens.Length - expected.Position));
                target.Step((actual, tokens.Length - actual.Position));
            }
        }

        return expected.Difference(actual);
    }

    private static Dictionary<BlockPartAddress, BlockPart> Export(ShardChain chain, ChainSession session, int blocks)
    {
        var parts = new Dictionary<BlockPartAddress, BlockPart>();
        ForEach(chain, session, blocks, (shard, layer, block, physical) =>
        {
            if (physical >= 0)
            {
                var shape = shard.KvShape(layer);
                var bytes = new byte[shape.Bytes];
                var address = new BlockPartAddress((UInt128)block, BlockPartKind.Kv, layer);
                if (!shard.ReadKv(layer, physical, bytes.AsSpan(BlockPartForm.HeaderBytes)))
                {
                    throw new InvalidOperationException($"block {block} of layer {layer} has values that are not finite");
                }

                BlockPartForm.WriteHeader(address, shape, bytes);
                parts.Add(address, new BlockPart(address, bytes, BlockPartForm.Checksum(bytes)));
            }
        });
        return parts;
    }

    private static void Wipe(ShardChain chain, ChainSession session, int blocks) =>
        ForEach(chain, session, blocks, (shard, layer, _, physical) =>
        {
            if (physical >= 0)
            {
                var others = new byte[shard.KvShape(layer).ValueBytes];
                Array.Fill(others, (byte)0x3F);
                if (!shard.WriteKv(layer, physical, others))
                {
                    throw new InvalidOperationException("0.74 was refused");
                }
            }
        });

    private static string? Import(ShardChain chain, ChainSession session, int blocks, Dictionary<BlockPartAddress, BlockPart> parts)
    {
        string? fault = null;
        ForEach(chain, session, blocks, (shard, layer, block, physical) =>
        {
            var address = new BlockPartAddress((UInt128)block, BlockPartKind.Kv, layer);
            if (physical < 0)
            {
                return;
            }

            if (!parts.TryGetValue(address, out var part))
            {
                fault ??= $"the source has no block {block} of layer {layer}";
            }
            else if (BlockPartForm.Check(part, address, shard.KvShape(layer)) is var found and not BlockPartFault.None)
            {
                fault ??= $"block {block} of layer {layer} was refused: {found}";
            }
            else if (!shard.WriteKv(layer, physical, part.Bytes.Span[BlockPartForm.HeaderBytes..]))
            {
                fault ??= $"block {block} of layer {layer} was refused for its values";
            }
        });
        return fault;
    }

    private static void ForEach(ShardChain chain, ChainSession session, int blocks, Action<ModelShard, int, int, int> act)
    {
        for (var s = 0; s < chain.Shards.Count; s++)
        {
            var shard = chain.Shards[s];
            for (var g = 0; g < shard.KvGroups.Length; g++)
            {
                foreach (var layer in shard.KvGroups[g].Layers)
                {
                    for (var block = 0; block < blocks; block++)
                    {
                        act(shard, layer, block, session.Tables[s][g][block]);
                    }
                }
            }
        }
    }
}
