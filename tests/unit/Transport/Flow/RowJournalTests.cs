using Parallax.Contracts.Identifiers;
using Parallax.Transport.Buffers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Transport.Flow;

public sealed class RowJournalTests
{
    private const int RowBytes = 32 * 1024; // one row a chunk
    private static readonly SessionId Session = new(Guid.Parse("11111111-2222-3333-4444-555555555555"));
    private static readonly Epoch First = new(1, Guid.Parse("aaaaaaaa-0000-0000-0000-000000000001"), 0);
    private static readonly byte[] Row = new byte[RowBytes];

    [Fact]
    public void TryPut_BudgetSpent_DropsAcknowledgedRowsOnlyAndThenRefuses()
    {
        var pool = new TensorBufferPool();
        var sender = new HopSender(First, 64);
        var budget = new JournalBudget(4 * (RowBytes + 4));
        using (var journal = new RowJournal(pool, budget, RowBytes))
        {
            var row = new byte[RowBytes];
            for (var p = 0; p < 4; p++)
            {
                row[0] = (byte)p;
                Assert.True(journal.TryPut(sender, p, 100 + p, row));
            }

            Assert.False(journal.TryPut(sender, 4, 104, row));
            Start(sender, 2);
            Assert.True(journal.TryPut(sender, 4, 104, row));
            Assert.Equal(new PositionRange(1, 5), Assert.Single(sender.Out.ToArray()));
            var read = journal.Read(sender, 3, 9);
            Assert.Equal((1, 103, (byte)3), (read.Count, read.TokenIds[0], read.Payload[0]));
            Assert.Equal(0, journal.Read(sender, 0, 1).Count);
            Assert.True(budget.Used <= budget.Bytes);
        }

        Assert.Equal((0, 0), (budget.Used, pool.Outstanding));
    }

    [Fact]
    public void TryReserve_AnotherSessionSpendsTheRest_ReservedRowsStillFit()
    {
        var (pool, budget, sender) = (new TensorBufferPool(), Budget(4), new HopSender(First, 64));
        using var journal = new RowJournal(pool, budget, RowBytes);
        using var other = new RowJournal(pool, budget, RowBytes);
        var others = new HopSender(First, 64);

        Assert.True(journal.TryReserve(sender, 0, 3));
        Assert.True(other.TryPut(others, 0, 1, Row));
        Assert.False(other.TryPut(others, 1, 1, Row));

        Assert.Empty(sender.Out.ToArray()); // reserved is not produced
        Assert.All(Enumerable.Range(0, 3), p => Assert.True(journal.TryPut(sender, p, p, Row)));
        Assert.Equal(budget.Bytes, budget.Used);
    }

    [Fact]
    public void TryReserve_DoesNotFit_OpensNothing()
    {
        var (pool, budget, sender) = (new TensorBufferPool(), Budget(4), new HopSender(First, 64));
        using var journal = new RowJournal(pool, budget, RowBytes);
        Assert.True(journal.TryPut(sender, 0, 0, Row));
        var before = budget.Used;

        Assert.False(journal.TryReserve(sender, 0, 5));

        Assert.Equal((before, before), (budget.Used, journal.Bytes));
        Assert.Equal(new PositionRange(0, 1), Assert.Single(sender.Out.ToArray()));
        Assert.True(journal.TryReserve(sender, 0, 4));
        Assert.True(journal.TryReserve(sender, 2, 2)); // held already
        Assert.True(journal.TryReserve(sender, 7, 0));
        Assert.Equal(budget.Bytes, budget.Used);
    }

    [Fact]
    public void TryReserve_BelowTheAcknowledgement_IsNotDroppedForOthersUntilItIsPut()
    {
        var (pool, budget, sender) = (new TensorBufferPool(), Budget(4), new HopSender(First, 64));
        using var journal = new RowJournal(pool, budget, RowBytes);
        Start(sender, acknowledged: 8); // a stage that is filled again: the next hop holds more than it does

        Assert.True(journal.TryReserve(sender, 0, 4));
        Assert.False(journal.TryDropOldest(sender));
        Assert.False(journal.TryReserve(sender, 4, 1));
        Assert.True(journal.TryPut(sender, 1, 101, Row));

        Assert.True(journal.TryReserve(sender, 4, 1)); // makes room with the only row that may go
        Assert.Empty(sender.Out.ToArray());
        Assert.Equal((0, 1), (journal.Read(sender, 1, 1).Count, journal.Read(sender, 2, 1).Count));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TryReserve_ThenTheWorkIsThrownAway_ChunksMayGoAgain(bool byResume)
    {
        var (pool, budget, sender) = (new TensorBufferPool(), Budget(4), new HopSender(First, 64));
        using var journal = new RowJournal(pool, budget, RowBytes);
        Start(sender, acknowledged: 8);
        Assert.True(journal.TryReserve(sender, 0, 4));

        if (byResume)
        {
            journal.Truncate(2);
            Assert.Equal(budget.Bytes / 2, budget.Used);
        }
        else
        {
            journal.EndReservations();
        }

        Assert.True(journal.TryDropOldest(sender));
        Assert.Equal((0, 1), (journal.Read(sender, 0, 1).Count, journal.Read(sender, 1, 1).Count));
    }

    [Fact]
    public void TryReserve_ManyRowsAChunk_BooksWholeChunksOnce()
    {
        var (pool, budget, sender) = (new TensorBufferPool(), new JournalBudget(1 << 20), new HopSender(First, 64));
        using var journal = new RowJournal(pool, budget, 1020);
        Assert.Equal(64, journal.ChunkRows);

        Assert.True(journal.TryReserve(sender, 60, 8));
        Assert.True(journal.TryReserve(sender, 68, 8));

        Assert.Equal(2 * 64 * 1024, budget.Used);
    }

    [Fact]
    public void TryDropOldest_AcknowledgedChunks_GoInOrderAndFreeMemoryForAnotherSession()
    {
        var (pool, budget, sender) = (new TensorBufferPool(), Budget(4), new HopSender(First, 64));
        using var journal = new RowJournal(pool, budget, RowBytes);
        using var other = new RowJournal(pool, budget, RowBytes);
        var others = new HopSender(First, 64);
        Assert.All(Enumerable.Range(0, 4), p => Assert.True(journal.TryPut(sender, p, p, Row)));
        Assert.False(journal.TryDropOldest(sender)); // nothing acknowledged
        Start(sender, acknowledged: 2);
        Assert.False(other.TryReserve(others, 0, 1));

        Assert.True(journal.TryDropOldest(sender));

        Assert.Equal(new PositionRange(1, 4), Assert.Single(sender.Out.ToArray()));
        Assert.True(other.TryReserve(others, 0, 1));
        Assert.True(journal.TryDropOldest(sender));
        Assert.False(journal.TryDropOldest(sender)); // 2 and 3 are not acknowledged
        Assert.Equal(new PositionRange(2, 4), Assert.Single(sender.Out.ToArray()));
    }

    private static JournalBudget Budget(int rows) => new(rows * (RowBytes + 4));

    private static void Start(HopSender sender, int acknowledged)
    {
        sender.Connected(1);
        Assert.True(sender.Resume(First, 8, 7, 9));
        sender.OnMessage(1, new FlowMessage(FlowMessageKind.State, Session, First, 9, acknowledged), []);
    }
}
