using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Parallax.Runtime.Blocks;

namespace Parallax.Testing.Blocks;

/// <summary>Keeps parts in memory, by address, for engines of one process; gives them out with faults when told to.</summary>
internal sealed class MemoryExchange : IBlockExchange
{
    private readonly ConcurrentDictionary<(string Tenant, BlockPartAddress Address), BlockPart> _parts = new();

    /// <summary>How it answers.</summary>
    public ExchangeFault Fault { get; set; }

    /// <summary>Blocks that it has room for; more offers are refused.</summary>
    public int Room { get; set; } = int.MaxValue;

    public bool IsOpen { get; set; } = true;

    public long Generation { get; set; }

    /// <summary>Blocks taken, in order.</summary>
    public ConcurrentQueue<BlockOffer> Offers { get; } = new();

    /// <summary>What was asked for.</summary>
    public ConcurrentQueue<BlockQuery> Queries { get; } = new();

    /// <summary>Loses all that it was given.</summary>
    public void Forget()
    {
        _parts.Clear();
        Offers.Clear();
    }

    public bool Offer(BlockOffer offer)
    {
        if (!IsOpen || Offers.Count >= Room)
        {
            return false;
        }

        Offers.Enqueue(offer);
        foreach (var part in offer.Parts)
        {
            _parts[(offer.Tenant, part.Address)] = part;
        }

        return true;
    }

    public async IAsyncEnumerable<FetchedBlock> FetchAsync(BlockQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Queries.Enqueue(query);
        await Task.Yield();
        if (Fault == ExchangeFault.Silent)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        for (var i = 0; i < query.Hashes.Length; i++)
        {
            if (Fault == ExchangeFault.Empty || (Fault == ExchangeFault.Partial && i >= (query.Hashes.Length + 1) / 2))
            {
                yield break;
            }

            if (Fault == ExchangeFault.Broken && i >= query.Hashes.Length / 2)
            {
                throw new InvalidOperationException("the exchange broke");
            }

            if (Find(query, query.Hashes[i]) is not { } block)
            {
                yield break;
            }

            yield return i == query.Hashes.Length / 2 ? Spoil(block) : block;
        }
    }

    private FetchedBlock? Find(BlockQuery query, UInt128 hash)
    {
        var parts = ImmutableArray.CreateBuilder<BlockPart>();
        for (var layer = query.Layers.Start; layer < query.Layers.End; layer++)
        {
            if (!_parts.TryGetValue((query.Tenant, new BlockPartAddress(hash, BlockPartKind.Kv, layer)), out var part))
            {
                return null;
            }

            parts.Add(part);
        }

        if (query.WantOutputs
            && _parts.TryGetValue((query.Tenant, new BlockPartAddress(hash, BlockPartKind.Outputs, query.Layers.End - 1)), out var outputs))
        {
            parts.Add(outputs);
        }

        return new FetchedBlock(hash, parts.ToImmutable());
    }

    private FetchedBlock Spoil(FetchedBlock block)
    {
        var part = block.Parts[0];
        return Fault switch
        {
            ExchangeFault.Corrupt => block with { Parts = block.Parts.SetItem(0, part with { Bytes = Flip(part.Bytes) }) },
            ExchangeFault.MixedUp => block with { Parts = block.Parts.SetItem(0, block.Parts[^1] with { Address = part.Address }) },
            ExchangeFault.Incomplete => block with { Parts = block.Parts.RemoveAt(0) },
            _ => block,
        };
    }

    private static byte[] Flip(ReadOnlyMemory<byte> bytes)
    {
        var copy = bytes.ToArray();
        copy[copy.Length * 3 / 4] ^= 4;
        return copy;
    }
}
