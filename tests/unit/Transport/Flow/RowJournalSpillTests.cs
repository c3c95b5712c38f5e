using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Transport.Flow;

/// <summary>Journals whose memory is spent, one row a chunk.</summary>
public sealed class RowJournalSpillTests
{
    private const int RowBytes = 32 * 1024;

    [Theory]
    [InlineData(true)] // read from the file
    [InlineData(false)] // read before it has been written
    public void Read_BudgetOfOneChunk_EverythingComesBackEqual(bool written)
    {
        using var bench = new SpillBench(RowBytes, budgetChunks: 1, slots: 100);
        var (journal, sender) = (bench.NewJournal(), SpillBench.NewSender(acknowledged: 0));
        for (var p = 0; p < 40; p++)
        {
            Assert.True(journal.TryPut(sender, p, 100 + p, bench.Row(p)));
            SpillBench.Acknowledge(sender, p + 1);
        }

        Assert.Equal(new PositionRange(0, 40), Assert.Single(sender.Out.ToArray()));
        Assert.Equal(bench.ChunkBytes, bench.Budget.Used);
        if (written)
        {
            bench.DoAllIO();
            Assert.Equal((39, 0), (bench.File.Writes, bench.Spill.MemoryBytes));
        }

        for (var p = 0; p < 40; p++)
        {
            if (written && p < 39)
            {
                // Read ahead from the first on; the first itself has to be waited for.
                Assert.Equal(p == 0 ? 0 : 1, journal.Read(sender, p, 5).Count);
                bench.DoAllIO();
            }

            var rows = journal.Read(sender, p, 5);
            Assert.Equal((1, 100 + p), (rows.Count, rows.TokenIds[0]));
            Assert.True(rows.Payload.SequenceEqual(bench.Row(p)));
            Assert.InRange(bench.Spill.MemoryBytes, 0, written ? (RowJournal.ReadAhead + 1) * bench.ChunkBytes : 39 * bench.ChunkBytes);
        }

        Assert.Equal(written, bench.Wakes > 0);
        Assert.Equal(0, written ? bench.Spill.MemoryBytes : 0); // the last row is in memory: nothing is wanted any more
        bench.AssertNothingLeft();
    }

    [Fact]
    public void TryPut_SpillIsFullToo_DropsTheOldestAsWithoutOne()
    {
        using var bench = new SpillBench(RowBytes, budgetChunks: 2, slots: 3);
        var (journal, sender) = (bench.NewJournal(), SpillBench.NewSender(acknowledged: 100));
        for (var p = 0; p < 10; p++)
        {
            Assert.True(journal.TryPut(sender, p, p, bench.Row(p)));
            bench.DoAllIO();
        }

        // Three in the file, the oldest ones; two in memory; between them what neither had room for.
        Assert.Equal([new PositionRange(0, 3), new PositionRange(8, 10)], sender.Out.ToArray());
        Assert.Equal(3 * bench.ChunkBytes, bench.Spill.UsedBytes);
        Assert.Equal(3 * bench.ChunkBytes, bench.File.MostBytes);
        Assert.Empty(bench.Log.Lines);
        bench.AssertNothingLeft();
    }

    [Fact]
    public void TryPut_DiskSlowerThanItsQueue_DropsAndHoldsNoMoreMemory()
    {
        using var bench = new SpillBench(RowBytes, budgetChunks: 2, slots: 100, queueBytes: 3 * (RowBytes + 4));
        var (journal, sender) = (bench.NewJournal(), SpillBench.NewSender(acknowledged: 100));
        for (var p = 0; p < 10; p++)
        {
            Assert.True(journal.TryPut(sender, p, p, bench.Row(p)));
            Assert.InRange(bench.Spill.MemoryBytes, 0, 3 * bench.ChunkBytes);
        }

        Assert.Equal([new PositionRange(0, 3), new PositionRange(8, 10)], sender.Out.ToArray());
        bench.DoAllIO();
        Assert.True(journal.TryPut(sender, 10, 10, bench.Row(10)));
        Assert.Equal([new PositionRange(0, 3), new PositionRange(8, 11)], sender.Out.ToArray());
        bench.AssertNothingLeft();
    }

    [Fact]
    public void TryPut_DiskFull_WarnsOnceAndGoesOnByDropping()
    {
        using var bench = new SpillBench(RowBytes, budgetChunks: 1, slots: 100);
        var (journal, sender) = (bench.NewJournal(), SpillBench.NewSender(acknowledged: 100));
        bench.File.Room = 2 * bench.ChunkBytes;
        for (var p = 0; p < 8; p++)
        {
            Assert.True(journal.TryPut(sender, p, p, bench.Row(p)));
        }

        bench.DoAllIO();
        for (var p = 8; p < 12; p++)
        {
            Assert.True(journal.TryPut(sender, p, p, bench.Row(p)));
        }

        // What had reached the disk is still to be had; the rest is found out when it is asked for.
        Assert.True(Fetch(bench, journal, sender, 1).SequenceEqual(bench.Row(1)));
        Assert.Empty(Fetch(bench, journal, sender, 2));
        Assert.Empty(Fetch(bench, journal, sender, 6));
        Assert.True(Fetch(bench, journal, sender, 11).SequenceEqual(bench.Row(11)));
        Assert.Equal([(0, 2), (3, 6), (11, 12)], sender.Out.ToArray().Select(range => (range.Start, range.End)));
        Assert.Contains("no space left on device", Assert.Single(bench.Log.Lines), StringComparison.Ordinal);
        bench.AssertNothingLeft();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_DamagedOrUnreadable_CountsAsNotHeldAndIsTold(bool unreadable)
    {
        using var bench = new SpillBench(RowBytes, budgetChunks: 1, slots: 100);
        var (journal, sender) = (bench.NewJournal(), SpillBench.NewSender(acknowledged: 100));
        for (var p = 0; p < 8; p++)
        {
            Assert.True(journal.TryPut(sender, p, p, bench.Row(p)));
        }

        bench.DoAllIO();
        bench.File.IsUnreadable = unreadable;
        bench.File.Damage((3 * bench.ChunkBytes) + 1000);

        Assert.Equal(0, journal.Read(sender, 3, 1).Count);
        bench.DoAllIO();
        var wakes = bench.Wakes;
        Assert.Equal(0, journal.Read(sender, 3, 1).Count);

        Assert.Equal(wakes + 1, bench.Wakes); // there is something else to do now: to ask for these rows
        Assert.Equal([(0, 3), (4, 8)], sender.Out.ToArray().Select(range => (range.Start, range.End)));
        Assert.Single(bench.Log.Lines);
        if (!unreadable)
        {
            Assert.True(Fetch(bench, journal, sender, 4).SequenceEqual(bench.Row(4)));
        }

        bench.AssertNothingLeft();
    }

    [Fact]
    public void TryReserve_InASpilledChunk_WaitsForItAndLosesNothing()
    {
        using var bench = new SpillBench(rowBytes: 16 * 1024, budgetChunks: 1, slots: 100); // three rows a chunk
        var (journal, sender) = (bench.NewJournal(), SpillBench.NewSender(acknowledged: 100));
        Assert.Equal(3, journal.ChunkRows);
        for (var p = 0; p < 8; p++)
        {
            Assert.True(p == 4 || journal.TryPut(sender, p, p, bench.Row(p)));
        }

        bench.DoAllIO();
        Assert.False(journal.TryReserve(sender, 4, 1));
        Assert.True(journal.AwaitsSpill);
        bench.DoAllIO();
        Assert.True(journal.TryReserve(sender, 4, 1));
        Assert.False(journal.AwaitsSpill);
        Assert.True(journal.TryPut(sender, 4, 4, bench.Row(4)));

        Assert.Equal(new PositionRange(0, 8), Assert.Single(sender.Out.ToArray()));
        for (var p = 7; p >= 0; p--)
        {
            Assert.True(Fetch(bench, journal, sender, p).SequenceEqual(bench.Row(p)));
        }

        bench.AssertNothingLeft();
    }

    [Fact]
    public void Dispose_OneOfTwoSessions_ItsSlotsAreUsedByTheOther()
    {
        using var bench = new SpillBench(RowBytes, budgetChunks: 2, slots: 4);
        var (first, second) = (bench.NewJournal(), bench.NewJournal());
        var (sender, other) = (SpillBench.NewSender(acknowledged: 100), SpillBench.NewSender(acknowledged: 100));
        for (var p = 0; p < 3; p++)
        {
            Assert.True(first.TryPut(sender, p, p, bench.Row(p)));
        }

        Assert.True(first.TryDropOldest(sender));
        Assert.True(second.TryPut(other, 0, 50, bench.Row(50)));
        bench.DoAllIO();
        first.Dispose();
        for (var p = 1; p < 6; p++)
        {
            Assert.True(second.TryPut(other, p, 50 + p, bench.Row(50 + p)));
        }

        bench.DoAllIO();
        Assert.Equal(4 * bench.ChunkBytes, bench.Spill.UsedBytes);
        Assert.Equal(new PositionRange(0, 6), Assert.Single(other.Out.ToArray()));
        for (var p = 0; p < 6; p++)
        {
            Assert.True(Fetch(bench, second, other, p).SequenceEqual(bench.Row(50 + p)));
        }

        bench.AssertNothingLeft();
    }

    [Fact]
    public void Truncate_SpilledChunksAboveIt_GoAndTheirSlotsAreFree()
    {
        using var bench = new SpillBench(RowBytes, budgetChunks: 1, slots: 100);
        var (journal, sender) = (bench.NewJournal(), SpillBench.NewSender(acknowledged: 100));
        for (var p = 0; p < 10; p++)
        {
            Assert.True(journal.TryPut(sender, p, p, bench.Row(p)));
        }

        journal.Truncate(4);

        bench.DoAllIO();
        Assert.Equal((4, 4 * bench.ChunkBytes, 0), (bench.File.Writes, bench.Spill.UsedBytes, bench.Budget.Used));
        Assert.True(Fetch(bench, journal, sender, 3).SequenceEqual(bench.Row(3)));
        Assert.Empty(Fetch(bench, journal, sender, 4));
        bench.AssertNothingLeft();
    }

    [Fact]
    public void Read_ManySessionsAndNoMemoryToReadAhead_EachGetsItsRows()
    {
        using var bench = new SpillBench(RowBytes, budgetChunks: 1, slots: 100, readAheadBytes: 0);
        var sessions = Enumerable.Range(0, 6).Select(i => (Journal: bench.NewJournal(), Sender: SpillBench.NewSender(acknowledged: 100))).ToArray();
        foreach (var (journal, sender) in sessions)
        {
            for (var p = 0; p < 4; p++)
            {
                Assert.True(journal.TryPut(sender, p, p, bench.Row(p)));
            }

            Assert.True(journal.TryDropOldest(sender));
        }

        bench.DoAllIO();
        for (var p = 0; p < 4; p++)
        {
            Assert.All(sessions, session => Assert.Equal(0, session.Journal.Read(session.Sender, p, 1).Count));
            bench.DoAllIO();
            Assert.Equal(6 * bench.ChunkBytes, bench.Spill.MemoryBytes); // one each, and none ahead
            Assert.All(sessions, session => Assert.True(session.Journal.Read(session.Sender, p, 1).Payload.SequenceEqual(bench.Row(p))));
        }

        bench.AssertNothingLeft();
    }

    [Fact]
    public void Read_BetweenTwoReadersOfOneJournal_WhatWasAskedForStillComes()
    {
        using var bench = new SpillBench(RowBytes, budgetChunks: 1, slots: 100);
        var (journal, sender) = (bench.NewJournal(), SpillBench.NewSender(acknowledged: 100));
        for (var p = 0; p < 10; p++)
        {
            Assert.True(journal.TryPut(sender, p, p, bench.Row(p)));
        }

        bench.DoAllIO();
        Assert.Equal(0, journal.Read(sender, 0, 1).Count);
        Assert.Equal(1, journal.Read(sender, 9, 1).Count); // a standby, say, that is sent the newest row
        bench.DoAllIO();
        Assert.True(bench.Wakes > 0);
        Assert.True(journal.Read(sender, 0, 1).Payload.SequenceEqual(bench.Row(0)));

        // Also when the other reads from the file, elsewhere.
        Assert.Equal(0, journal.Read(sender, 8, 1).Count);
        Assert.Equal(0, journal.Read(sender, 0, 1).Count);
        var before = bench.Wakes;
        bench.DoAllIO();
        Assert.True(bench.Wakes > before);
        Assert.True(journal.Read(sender, 0, 1).Payload.SequenceEqual(bench.Row(0)));
        bench.AssertNothingLeft();
    }

    private static byte[] Fetch(SpillBench bench, RowJournal journal, HopSender sender, int position)
    {
        var rows = journal.Read(sender, position, 1);
        if (rows.Count == 0)
        {
            bench.DoAllIO();
            rows = journal.Read(sender, position, 1);
        }

        return rows.Payload.ToArray();
    }
}
