using System.Collections.Immutable;
using BenchmarkDotNet.Attributes;
using Parallax.Contracts.Identifiers;
using Parallax.KvIndex.Announcing;
using Parallax.KvIndex.Events;
using Parallax.KvIndex.Index;

namespace Parallax.Benchmarks.KvIndex;

/// <summary>An index that is full of 1,048,576 (shard, block) pairs: questions, and what arrives.</summary>
[MemoryDiagnoser]
public class PrefixIndexBenchmarks
{
    private const int Capacity = 1 << 20;
    private const int Workers = 256;
    private const int ChainLength = 8192;
    private static readonly LayerRange Range = new(0, 12);

    private readonly BlockAnnouncer _announcer = new(1);
    private readonly ShardRef[] _shards = [.. Enumerable.Range(0, Workers).Select(static i => new ShardRef($"{i:x40}", "s1", Range))];
    private readonly int[] _runs = new int[Workers];
    private readonly UInt128[] _chain = [.. Enumerable.Range(0, ChainLength).Select(static i => Hash(0, i))];
    private PrefixIndex _index = null!;
    private AnnouncedShard _announced = null!;
    private BlockBatch[] _batches = [];
    private int _next;
    private long _run;

    private static UInt128 Hash(int chain, int block)
    {
        Span<byte> digest = stackalloc byte[32];
        System.Security.Cryptography.SHA256.HashData([.. BitConverter.GetBytes(chain), .. BitConverter.GetBytes(block)], digest);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }

    /// <summary>Every worker has 4,096 blocks: of the chain that is asked for as many as its number times 16, the rest its own.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        _index = new PrefixIndex(new PrefixIndexOptions { Capacity = Capacity, Seed = 7 });
        for (var worker = 0; worker < Workers; worker++)
        {
            var held = (UInt128[])[.. _chain.Take(worker * 16), .. Enumerable.Range(0, 4096 - (worker * 16)).Select(i => Hash(worker + 1, i))];
            for (var page = 0; page < 2; page++)
            {
                _index.Apply(_shards[worker].WorkerId, Of(page + 1, page == 0, [], held[(page * 2048)..((page + 1) * 2048)]), TimeSpan.Zero);
            }
        }

        if (_index.Counts.Pairs != Capacity || _index.LongestRun(_chain, _shards[100]) != 1600)
        {
            throw new InvalidOperationException($"the index is not as it should be: {_index.Counts}");
        }

        // What arrives of a 257th worker: each batch adds 1,024 blocks and evicts those of the one before.
        _batches = [.. Enumerable.Range(0, 64).Select(i => Of(
            i + 2,
            begins: false,
            [.. Enumerable.Range(0, i == 0 ? 0 : 1024).Select(j => Hash(1000 + i - 1, j))],
            [.. Enumerable.Range(0, 1024).Select(j => Hash(1000 + i, j))]))];
        _announced = _announcer.Open("s1", Range, 4096) ?? throw new InvalidOperationException("no shard");
    }

    /// <summary>A prompt of 131,072 tokens (8,192 blocks), of which the workers have cached 0 to 4,080 blocks; all 256 are asked.</summary>
    [Benchmark]
    public int AskAll256Workers()
    {
        _index.LongestRuns(_chain, _shards, _runs);
        return _runs[^1];
    }

    /// <summary>The same for a path of four stages.</summary>
    [Benchmark]
    public int AskOnePathOfFour() => _index.LongestRunOfAll(_chain, _shards.AsSpan(100, 4));

    /// <summary>The same for the prompt of 1,024 tokens (64 blocks).</summary>
    [Benchmark]
    public int AskAll256WorkersShortPrompt()
    {
        _index.LongestRuns(_chain.AsSpan(0, 64), _shards, _runs);
        return _runs[^1];
    }

    /// <summary>A batch of 1,024 blocks added and as many evicted, in a full index.</summary>
    [Benchmark(OperationsPerInvoke = 2048)]
    public int Apply2048Events()
    {
        if (_next == 0)
        {
            _index.Apply("new", Of(1 + (_run * 100), begins: true, [], []), TimeSpan.Zero);
        }

        var batch = _batches[_next];
        _index.Apply("new", batch with { Sequence = batch.Sequence + (_run * 100) }, TimeSpan.Zero);
        _next = (_next + 1) % _batches.Length;
        _run += _next == 0 ? 1 : 0;
        return _index.Counts.Pairs;
    }

    /// <summary>What a worker's engine pays for a block that it has computed, without the lock.</summary>
    [Benchmark(OperationsPerInvoke = 2048)]
    public int NoteAddAndEvict()
    {
        for (var i = 0; i < 1024; i++)
        {
            _announcer.Added(_announced, _chain[i], TimeSpan.Zero);
        }

        for (var i = 0; i < 1024; i++)
        {
            _announcer.Evicted(_announced, _chain[i], TimeSpan.Zero);
        }

        return _announcer.Held;
    }

    private static BlockBatch Of(long sequence, bool begins, UInt128[] evicted, UInt128[] added) =>
        new(1, sequence, begins, ImmutableArray.Create(new ShardBlocks("s1", Range, Clear: false, [.. evicted], [.. added])));
}
