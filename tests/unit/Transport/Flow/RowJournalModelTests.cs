using CsCheck;
using Parallax.Contracts.Identifiers;
using Parallax.Transport.Flow;

namespace Parallax.UnitTests.Transport.Flow;

/// <summary>Journals with a spill do what dictionaries with the same rows do, whatever the order of calls and I/O.</summary>
public sealed class RowJournalModelTests
{
    private const int RowBytes = 13_000; // five rows a chunk
    private const int MostPositions = 60;

    private enum Act
    {
        PutNext,
        Rewrite,
        Reserve,
        Acknowledge,
        DropOldest,
        Read,
        Resume,
        OneIO,
        AllIO,
        End,
    }

    private static readonly Gen<(Act Act, int Session, int Value)[]> Acts = Gen.Select(
        Gen.Frequency(
            (8, Gen.Const(Act.PutNext)),
            (2, Gen.Const(Act.Rewrite)),
            (3, Gen.Const(Act.Reserve)),
            (4, Gen.Const(Act.Acknowledge)),
            (2, Gen.Const(Act.DropOldest)),
            (8, Gen.Const(Act.Read)),
            (1, Gen.Const(Act.Resume)),
            (4, Gen.Const(Act.OneIO)),
            (1, Gen.Const(Act.AllIO)),
            (1, Gen.Const(Act.End))),
        Gen.Int[0, 2],
        Gen.Int[0, MostPositions - 1]).Array[20, 200];

    [Fact]
    public void AnyCalls_RoomInTheFile_NothingIsEverLost() =>
        Acts.Sample(acts => Run(acts, slots: 1000, isHonest: true), iter: 300);

    [Fact]
    public void AnyCalls_FewSlots_WhatIsHeldIsRight() =>
        Acts.Sample(acts => Run(acts, slots: 4, isHonest: false), iter: 300);

    [Fact]
    public void AnyCalls_AFileThatFails_WhatIsReadIsRight() =>
        Gen.Select(Acts, Gen.Int[0, 8], Gen.Int[0, 3]).Sample(
            (acts, room, damage) => Run(acts, slots: 1000, isHonest: false, room: room, damage: damage), iter: 300);

    private static void Run((Act Act, int Session, int Value)[] acts, int slots, bool isHonest, int? room = null, int damage = 0)
    {
        using var bench = new SpillBench(RowBytes, budgetChunks: 3, slots, queueBytes: isHonest ? null : 4 * 65536, readAheadBytes: 2 * 65536);
        bench.File.Room = room is { } chunks ? (long)chunks * bench.ChunkBytes : long.MaxValue;
        var sessions = Enumerable.Range(0, 3).Select(_ => new Model(bench)).ToArray();
        var version = 0;
        foreach (var (act, index, value) in acts)
        {
            var session = sessions[index];
            switch (act)
            {
                case Act.PutNext:
                    session.Put(session.Next, ++version);
                    break;
                case Act.Rewrite:
                    session.Put(Math.Min(value, session.Next), ++version);
                    break;
                case Act.Reserve:
                    if (session.Journal.TryReserve(session.Sender, Math.Min(value, session.Next), 3))
                    {
                        session.Put(Math.Min(value, session.Next), ++version, mustSucceed: true);
                        session.Journal.EndReservations();
                    }

                    break;
                case Act.Acknowledge:
                    SpillBench.Acknowledge(session.Sender, Math.Min(value, session.Next));
                    break;
                case Act.DropOldest:
                    session.Journal.TryDropOldest(session.Sender);
                    break;
                case Act.Read:
                    session.Read(value, 1 + (value % 7));
                    break;
                case Act.Resume:
                    session.Resume(Math.Min(value, session.Next));
                    break;
                case Act.OneIO:
                    bench.Spill.TryDoNext();
                    break;
                case Act.AllIO:
                    bench.DoAllIO();
                    if (damage > 0 && bench.File.Length > 0)
                    {
                        bench.File.Damage((value * 7919L) % bench.File.Length);
                        damage--;
                    }

                    break;
                default:
                    session.Journal.Dispose();
                    sessions[index] = new Model(bench);
                    break;
            }

            Assert.InRange(bench.Budget.Used, 0, bench.Budget.Bytes);
            Assert.InRange(bench.Spill.UsedBytes, 0, (long)slots * bench.ChunkBytes);
            Assert.InRange(bench.File.Length, 0, (long)slots * bench.ChunkBytes);
        }

        foreach (var session in sessions)
        {
            if (isHonest)
            {
                Assert.Equal(session.Rows.Keys.Order(), session.Held());
            }

            session.ReadAll();
            if (isHonest)
            {
                Assert.Equal(session.Rows.Keys.Order(), session.Held());
            }
        }

        bench.AssertNothingLeft();
    }

    private sealed class Model(SpillBench bench)
    {
        private Epoch _epoch = SpillBench.First;

        public RowJournal Journal { get; } = bench.NewJournal();

        public HopSender Sender { get; } = SpillBench.NewSender(acknowledged: 0);

        /// <summary>Version of the row of each position that was put and not cut off.</summary>
        public Dictionary<int, int> Rows { get; } = [];

        public int Next { get; private set; }

        public void Put(int position, int version, bool mustSucceed = false)
        {
            if (position >= MostPositions)
            {
                return;
            }

            var succeeded = Journal.TryPut(Sender, position, version, bench.Row(position, version));
            Assert.True(succeeded || !mustSucceed);
            if (succeeded)
            {
                Rows[position] = version;
                Next = Math.Max(Next, position + 1);
                Assert.Contains(position, Held());
            }
        }

        /// <summary>Reads where something is held; what comes must be right, and something must come once all I/O is done.</summary>
        public void Read(int position, int count, bool insist = false)
        {
            var ready = Ready(position);
            if (ready == 0)
            {
                return;
            }

            var rows = Journal.Read(Sender, position, Math.Min(count, ready));
            if (rows.Count == 0 && insist)
            {
                bench.DoAllIO();
                rows = Journal.Read(Sender, position, Math.Min(count, Ready(position) is var now and > 0 ? now : 1));
                Assert.Equal(Ready(position) > 0, rows.Count > 0);
            }

            for (var i = 0; i < rows.Count; i++)
            {
                var version = Rows[position + i];
                Assert.Equal(version, rows.TokenIds[i]);
                Assert.True(rows.Payload.Slice(i * RowBytes, RowBytes).SequenceEqual(bench.Row(position + i, version)));
            }
        }

        public void ReadAll()
        {
            for (var position = 0; position < MostPositions; position++)
            {
                Read(position, 7, insist: true);
            }
        }

        public void Resume(int keep)
        {
            _epoch = _epoch with { N = _epoch.N + 1 };
            Assert.Equal(FenceResult.Fenced, Sender.Fence(_epoch));
            Journal.Truncate(keep);
            Assert.True(Sender.Resume(_epoch, keep, keep, 9));
            Sender.OnMessage(1, SpillBench.State(_epoch, 0), []);
            foreach (var position in Rows.Keys.Where(position => position >= keep).ToArray())
            {
                Rows.Remove(position);
            }

            Next = Math.Min(Next, keep);
        }

        public List<int> Held()
        {
            var held = new List<int>();
            foreach (var range in Sender.Out)
            {
                held.AddRange(Enumerable.Range(range.Start, range.Count));
            }

            return held;
        }

        private int Ready(int position)
        {
            foreach (var range in Sender.Out)
            {
                if (range.Start <= position && position < range.End)
                {
                    return range.End - position;
                }
            }

            return 0;
        }
    }
}
