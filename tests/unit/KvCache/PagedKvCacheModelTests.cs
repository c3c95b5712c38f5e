using CsCheck;
using Parallax.Runtime.Execution;
using Parallax.Runtime.KvCache;

namespace Parallax.UnitTests.KvCache;

/// <summary>
/// Random operations against a naive model that remembers, per physical block, what was computed into it.
/// </summary>
public class PagedKvCacheModelTests
{
    private static readonly int?[][] Layouts = [[null], [20], [null, 20], [8, 40], [null, null, 4]];

    [Fact]
    public void RandomOperations_KeepEveryInvariant()
    {
        Gen.Select(Gen.Int[0, Layouts.Length - 1], Gen.Int[6, 30], Gen.Int[0, int.MaxValue].Array[0, 120]).Sample(
            (layout, blocks, operations) =>
            {
                var model = new Model(Layouts[layout], blocks, hasher: null);
                foreach (var operation in operations)
                {
                    model.Apply(operation);
                }

                model.Finish();
            },
            iter: 400);
    }

    [Fact]
    public void RandomOperations_HashesThatCollide_NeverGiveAnotherPrefix()
    {
        Gen.Select(Gen.Int[0, Layouts.Length - 1], Gen.Int[6, 30], Gen.Int[0, int.MaxValue].Array[0, 120]).Sample(
            (layout, blocks, operations) =>
            {
                var model = new Model(Layouts[layout], blocks, (parent, ids) => BlockHash.Chain(parent, ids) % 5);
                foreach (var operation in operations)
                {
                    model.Apply(operation);
                }

                model.Finish();
            },
            iter: 200);
    }

    private sealed class Model
    {
        private readonly int?[] _windows;
        private readonly PagedKvCache _cache;
        private readonly bool _exactHashes;
        private readonly ulong[][] _content;
        private readonly List<Live> _live = [];

        public Model(int?[] windows, int blocks, BlockHasher? hasher)
        {
            _windows = windows;
            int[] counts = [.. windows.Select((_, g) => blocks + (g * 3))];
            _cache = CacheFixture.Cache(windows, counts, hasher);
            _exactHashes = hasher is null;
            _content = [.. counts.Select(count => new ulong[count * KvGroup.BlockTokens])];
        }

        public void Apply(int operation)
        {
            var kind = operation % 8;
            var argument = operation / 8;
            if (_live.Count == 0 || (kind == 0 && _live.Count < 6))
            {
                Open(argument);
            }
            else
            {
                var live = _live[argument % _live.Count];
                argument /= _live.Count;
                switch (kind)
                {
                    case 0 or 1:
                        Match(live, argument % (live.Ids.Count + 1));
                        break;
                    case 2 or 3 or 4:
                        Grow(live, 1 + (argument % 50));
                        break;
                    case 5:
                        Truncate(live, argument % (live.Sequence.Length + 2), argument);
                        break;
                    case 6:
                        _cache.Release(live.Sequence);
                        break;
                    default:
                        _cache.Close(live.Sequence, forget: argument % 3 == 0);
                        _live.Remove(live);
                        break;
                }
            }

            Check();
        }

        public void Finish()
        {
            foreach (var live in _live)
            {
                _cache.Close(live.Sequence);
            }

            _live.Clear();
            Check();
            Assert.Equal(0, _cache.UsedBlocks);
        }

        private static ulong Chain(ulong before, int id) => ((before ^ (ulong)(id + 1)) * 0xBF58476D1CE4E5B9) ^ (before >> 31);

        private void Open(int argument)
        {
            // Few sources and few places to part make long common prefixes and many partings.
            var salt = argument % 5 == 0 ? "other" : "";
            var ids = Enumerable.Range(0, 20 + (argument % 180)).Select(i => i % 7).ToList();
            var fork = argument / 180 % 6 * 24;
            for (var i = fork; i < ids.Count && argument % 3 != 0; i++)
            {
                ids[i] += argument % 4;
            }

            _live.Add(new Live(_cache.Open(salt, argument % 100), ids, salt));
        }

        private void Match(Live live, int limit)
        {
            var sequence = live.Sequence;
            var start = sequence.Length;
            var aligned = !sequence.IsPrivate && sequence.CommittedBlocks * 16 == start && sequence.CoveredBlocks * 16 == start;
            var expected = aligned ? LongestResident(live, limit) : start;

            var length = _cache.Match(sequence, [.. live.Ids], limit);

            if (_exactHashes)
            {
                Assert.Equal(Math.Max(start, expected), length);
            }
            else
            {
                Assert.InRange(length, start, Math.Max(start, expected));
            }
        }

        /// <summary>The longest prefix that the pools' contents could give, found by looking at every block.</summary>
        private int LongestResident(Live live, int limit)
        {
            var hashes = live.Hashes();
            var cached = new HashSet<ulong>[_windows.Length];
            for (var g = 0; g < _windows.Length; g++)
            {
                cached[g] = [];
                for (var block = 0; block < _cache.Pool(g).Total; block++)
                {
                    if (_cache.Pool(g).NodeOf(block) >= 0)
                    {
                        cached[g].Add(_content[g][(block * 16) + 15]);
                    }
                }
            }

            for (var blocks = Math.Min(limit, live.Ids.Count) / 16; blocks > 0; blocks--)
            {
                var all = true;
                for (var g = 0; g < _windows.Length; g++)
                {
                    var first = _windows[g] is { } window ? Math.Max(0, (blocks * 16) - window - 33) / 16 : 0;
                    for (var b = first; b < blocks; b++)
                    {
                        all &= cached[g].Contains(hashes[(b * 16) + 15]);
                    }
                }

                if (all)
                {
                    return blocks * 16;
                }
            }

            return 0;
        }

        private void Grow(Live live, int count)
        {
            while (live.Ids.Count < live.Sequence.Length + count)
            {
                live.Ids.Add(live.Ids.Count % 3);
            }

            var from = live.Sequence.Length;
            var need = PagedKvCache.BlocksToGrow(live.Sequence, from + count);
            var possible = Enumerable.Range(0, _windows.Length).All(g => _cache.Available(g) >= need);
            Assert.Equal(possible, _cache.TryReserve(live.Sequence, from + count));
            if (!possible)
            {
                return;
            }

            var hashes = live.Hashes();
            for (var g = 0; g < _windows.Length; g++)
            {
                for (var p = from; p < from + count; p++)
                {
                    _content[g][(live.Sequence.Tables[g][p / 16] * 16) + (p % 16)] = hashes[p];
                }
            }

            _cache.Commit(live.Sequence, [.. live.Ids], from + count);
        }

        private void Truncate(Live live, int keep, int argument)
        {
            var before = live.Sequence.Length;
            var kept = _cache.Truncate(live.Sequence, keep);
            Assert.InRange(kept, 0, Math.Min(keep, before));
            Assert.Equal(kept, live.Sequence.Length);
            if (argument % 2 == 0)
            {
                // What follows becomes something else.
                live.Ids.RemoveRange(kept, live.Ids.Count - kept);
                live.Ids.AddRange(Enumerable.Repeat(argument % 9, 17));
            }
        }

        private void Check()
        {
            _cache.Check();
            var holders = _content.Select(values => new int[values.Length / 16]).ToArray();
            foreach (var live in _live)
            {
                var sequence = live.Sequence;
                var hashes = live.Hashes();
                for (var g = 0; g < _windows.Length; g++)
                {
                    var table = sequence.Tables[g];
                    for (var b = 0; b < table.Length; b++)
                    {
                        Assert.True(b < sequence.CoveredBlocks || table[b] == -1, "a block behind the end is held");
                        if (table[b] >= 0)
                        {
                            holders[g][table[b]]++;
                        }
                    }

                    // What the next position attends to is there, and it is what was computed over these very ids.
                    var first = _windows[g] is { } window ? Math.Max(0, sequence.Length - window + 1) : 0;
                    for (var p = first; p < sequence.Length; p++)
                    {
                        Assert.True(table[p / 16] >= 0, $"position {p} of {sequence.Length} is not held in group {g}");
                        Assert.Equal(hashes[p], _content[g][(table[p / 16] * 16) + (p % 16)]);
                    }
                }
            }

            for (var g = 0; g < _windows.Length; g++)
            {
                var pool = _cache.Pool(g);
                Assert.Equal(pool.Total, pool.Free + pool.Used + pool.Cached);
                for (var block = 0; block < pool.Total; block++)
                {
                    Assert.Equal(holders[g][block], pool.References(block));
                }
            }
        }

        private sealed record Live(KvSequence Sequence, List<int> Ids, string Salt)
        {
            public ulong[] Hashes()
            {
                var before = Salt.Length == 0 ? 1UL : 2UL;
                return [.. Ids.Select(id => before = Chain(before, id))];
            }
        }
    }
}
