using Parallax.Contracts.Identifiers;
using Parallax.Transport.Buffers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Transport.Flow;

/// <summary>Journals of one budget over a spill file in memory; I/O is done when a test says so.</summary>
internal sealed class SpillBench : IDisposable
{
    public static readonly Epoch First = new(1, Guid.Parse("aaaaaaaa-0000-0000-0000-000000000001"), 0);
    private static readonly SessionId Session = new(Guid.Parse("11111111-2222-3333-4444-555555555555"));

    private readonly List<RowJournal> _journals = [];
    private readonly int _rowBytes;

    public SpillBench(int rowBytes, int budgetChunks, int slots, long? queueBytes = null, long? readAheadBytes = null)
    {
        _rowBytes = rowBytes;
        ChunkBytes = RowJournal.ChunkBytesOf(rowBytes);
        Budget = new JournalBudget((long)budgetChunks * ChunkBytes);
        Spill = new JournalSpill(
            new JournalSpillOptions
            {
                Folder = "nowhere",
                ChunkBytes = ChunkBytes,
                Bytes = (long)slots * ChunkBytes,
                QueueBytes = queueBytes ?? long.MaxValue,
                ReadAheadBytes = readAheadBytes ?? long.MaxValue,
            },
            () => Wakes++,
            Log,
            Pool,
            () => File,
            ownThread: false);
    }

    public int ChunkBytes { get; }

    public TensorBufferPool Pool { get; } = new();

    public MemorySpillFile File { get; } = new();

    public WarningLog Log { get; } = new();

    public JournalBudget Budget { get; }

    public JournalSpill Spill { get; }

    public int Wakes { get; private set; }

    public RowJournal NewJournal()
    {
        var journal = new RowJournal(Pool, Budget, _rowBytes, Spill);
        _journals.Add(journal);
        return journal;
    }

    /// <summary>A running sender whose next hop holds so many positions.</summary>
    public static HopSender NewSender(int acknowledged)
    {
        var sender = new HopSender(First, 64);
        sender.Connected(1);
        Assert.True(sender.Resume(First, 0, 7, 9));
        sender.OnMessage(1, new FlowMessage(FlowMessageKind.State, Session, First, 9, acknowledged), []);
        return sender;
    }

    public static void Acknowledge(HopSender sender, int positions) =>
        sender.OnMessage(1, new FlowMessage(FlowMessageKind.Ack, Session, sender.Epoch, 9, positions), []);

    public static FlowMessage State(Epoch epoch, int applied) => new(FlowMessageKind.State, Session, epoch, 9, applied);

    /// <summary>A row that is like no other's.</summary>
    public byte[] Row(int position, int version = 0)
    {
        var row = new byte[_rowBytes];
        new Random((position * 1009) + version).NextBytes(row);
        return row;
    }

    public void DoAllIO()
    {
        while (Spill.TryDoNext())
        {
        }
    }

    /// <summary>Ends everything and finds what is left.</summary>
    public void AssertNothingLeft()
    {
        foreach (var journal in _journals)
        {
            journal.Dispose();
        }

        DoAllIO();
        Assert.Equal((0, 0, 0, 0), (Budget.Used, Spill.UsedBytes, Spill.MemoryBytes, File.Length));
        Assert.Empty(Pool.Leaks());
        Assert.Equal(0, Pool.Outstanding);
    }

    public void Dispose()
    {
        foreach (var journal in _journals)
        {
            journal.Dispose();
        }

        Spill.Dispose();
    }
}
