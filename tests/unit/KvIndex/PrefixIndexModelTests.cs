using CsCheck;
using Parallax.KvIndex.Announcing;
using Parallax.KvIndex.Events;
using Parallax.KvIndex.Index;
using static Parallax.UnitTests.KvIndex.Batches;

namespace Parallax.UnitTests.KvIndex;

/// <summary>
/// Workers whose caches grow and shrink like trees announce them over a wire that loses, repeats and reorders; an index
/// listens. Against what each worker held when it made the batch that the index knows last.
/// </summary>
public sealed class PrefixIndexModelTests
{
    [Fact]
    public void Index_NeverSaysMoreThanWasAnnounced_AndAllOfItOnceTheWireHolds()
    {
        Gen.Select(Gen.ULong, Gen.Int[40, 400], Gen.Int[0, int.MaxValue].Array[0, 300]).Sample(
            (seed, capacity, operations) =>
            {
                var model = new Model(seed, capacity);
                foreach (var operation in operations)
                {
                    model.Apply(operation);
                }

                model.Settle();
            },
            iter: 300);
    }

    private sealed class Model
    {
        private const int Chains = 4;
        private const int Length = 20;
        private static readonly string[] Names = ["a", "b"];

        private readonly PrefixIndex _index;
        private readonly bool _isRoomy;
        private readonly Worker[] _workers;
        private readonly List<(int Worker, byte[] Message)> _wire = [];
        private TimeSpan _now;

        public Model(ulong seed, int capacity)
        {
            _index = new PrefixIndex(new PrefixIndexOptions { Capacity = capacity, Seed = seed });
            _isRoomy = capacity >= Names.Length * Chains * Length;
            _workers = [.. Names.Select(static _ => new Worker(1))];
        }

        public void Apply(int operation)
        {
            var (kind, argument) = (operation % 16, operation / 16);
            var at = argument % Names.Length;
            var worker = _workers[at];
            var chain = argument / Names.Length % Chains;
            switch (kind)
            {
                case 0 or 1 or 2 or 3:
                    for (var i = 0; i <= argument % 4; i++)
                    {
                        worker.Grow(chain, Length, _now);
                    }

                    break;
                case 4 or 5:
                    worker.Shrink(chain, _now);
                    break;
                case 6 or 7 or 8:
                    _now += TimeSpan.FromMilliseconds(argument % 200);
                    Speak(at);
                    break;
                case 9 or 10 or 11 when _wire.Count > 0:
                    Deliver(0);
                    break;
                case 12 when _wire.Count > 0:
                    _wire.RemoveAt(argument % _wire.Count); // lost
                    break;
                case 13 when _wire.Count > 0:
                    _wire.Add(_wire[argument % _wire.Count]); // repeated, and late
                    break;
                case 14 when _wire.Count > 0:
                    Deliver(argument % _wire.Count); // out of its order
                    break;
                case 15 when argument % 5 == 0:
                    _workers[at] = new Worker(worker.Incarnation + 1);
                    break;
                case 15 when argument % 5 == 1:
                    worker.Reload(_now);
                    break;
            }

            Check();
        }

        /// <summary>The wire loses nothing any more.</summary>
        public void Settle()
        {
            _wire.Clear();
            for (var i = 0; i < 40; i++)
            {
                _now += TimeSpan.FromSeconds(1);
                while (_index.TryTakeAsk(_now, out var name, out var incarnation))
                {
                    if (_workers[Array.IndexOf(Names, name)] is var worker && worker.Incarnation == incarnation)
                    {
                        worker.Announcer.BeginAnew();
                    }
                }

                for (var at = 0; at < _workers.Length; at++)
                {
                    Speak(at);
                }

                while (_wire.Count > 0)
                {
                    Deliver(0);
                }

                Check();
            }

            for (var at = 0; at < _workers.Length; at++)
            {
                for (var chain = 0; _isRoomy && chain < Chains; chain++)
                {
                    Assert.Equal(_workers[at].Lengths[chain], _index.LongestRun(Chain(Length, chain), Of(at)));
                }
            }
        }

        private void Speak(int at)
        {
            while (_workers[at].Speak(_now) is { } batch)
            {
                _wire.Add((at, BlockWire.Write(batch)));
            }
        }

        private void Deliver(int index)
        {
            var (at, message) = _wire[index];
            _wire.RemoveAt(index);
            var batch = BlockWire.Read(message, out var problem) ?? throw new InvalidOperationException(problem);
            if (_index.Apply(Names[at], batch, _now) == BlockOutcome.Applied && batch.Incarnation == _workers[at].Incarnation)
            {
                _workers[at].Known = batch.Sequence;
            }

            _index.CheckInvariants();
        }

        private void Check()
        {
            for (var at = 0; at < _workers.Length; at++)
            {
                for (var chain = 0; chain < Chains; chain++)
                {
                    var run = _index.LongestRun(Chain(Length, chain), Of(at));
                    var runs = new int[17];
                    _index.LongestRuns(Chain(Length, chain), [.. Enumerable.Repeat(new ShardRef("nobody", "s", Batches.Range), 16), Of(at)], runs);
                    Assert.Equal(run, runs[16]);
                    Assert.True(run <= _workers[at].AnnouncedLength(chain), $"{Names[at]} had announced {_workers[at].AnnouncedLength(chain)} blocks of chain {chain}, not {run}");
                }
            }
        }

        private ShardRef Of(int at) => new(Names[at], _workers[at].ShardId, Batches.Range);
    }

    private sealed class Worker(long incarnation)
    {
        private readonly Dictionary<long, int[]> _announced = [];
        private AnnouncedShard? _shard;
        private int _shardNumber;

        public long Incarnation { get; } = incarnation;

        public BlockAnnouncer Announcer { get; } = new(incarnation, new BlockAnnouncerOptions { MaxWaiting = 12 });

        public int[] Lengths { get; private set; } = new int[4];

        public string ShardId => $"s{_shardNumber}";

        /// <summary>The last batch that the index has applied.</summary>
        public long Known { get; set; }

        public void Grow(int chain, int most, TimeSpan now)
        {
            if (Lengths[chain] < most)
            {
                Announcer.Added(Shard(), Hash(chain, Lengths[chain]++), now);
            }
        }

        public void Shrink(int chain, TimeSpan now)
        {
            if (Lengths[chain] > 0)
            {
                Announcer.Evicted(Shard(), Hash(chain, --Lengths[chain]), now);
            }
        }

        /// <summary>The shard gives way to another.</summary>
        public void Reload(TimeSpan now)
        {
            Announcer.Close(Shard());
            _shard = null;
            _shardNumber++;
            Lengths = new int[4];
            Grow(0, 1, now);
        }

        public BlockBatch? Speak(TimeSpan now)
        {
            var batch = Announcer.Next(now);
            if (batch is { IsPulse: false })
            {
                _announced[batch.Sequence] = [.. Lengths, _shardNumber];
            }

            return batch;
        }

        /// <summary>
        /// What was held when the batch was made that the index knows; of another shard nothing is known. A run of the worker that
        /// has not been heard yet has announced nothing, but its predecessor's shards have the same names: that is a miss at most.
        /// </summary>
        public int AnnouncedLength(int chain) =>
            Known == 0 && Incarnation > 1 ? int.MaxValue
            : _announced.TryGetValue(Known, out var then) && then[^1] == _shardNumber ? then[chain]
            : 0;

        private AnnouncedShard Shard() => _shard ??= Announcer.Open(ShardId, Batches.Range, 100) ?? throw new InvalidOperationException("no room for a shard");
    }
}
