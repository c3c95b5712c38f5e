using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.Identifiers;
using Parallax.IntegrationTests.Telemetry;
using Parallax.Transport.Buffers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.IntegrationTests.Transport;

/// <summary>A journal over a real file, written and read by the spill's own thread.</summary>
public sealed class JournalSpillTests : IDisposable
{
    private const int RowBytes = 8192;
    private static readonly Epoch Epoch = new(1, Guid.Empty, 0);
    private static readonly SessionId Session = new(Guid.Parse("11111111-2222-3333-4444-555555555555"));

    private readonly string _folder = Directory.CreateTempSubdirectory("parallax-spill-").FullName;
    private readonly TensorBufferPool _pool = new();
    private readonly SemaphoreSlim _woken = new(0);

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        _woken.Dispose();
    }

    [Fact]
    public async Task Read_HundredsOfChunksInTheFile_AllComeBackEqualInBoundedMemory()
    {
        const int rows = 2000; // 286 chunks
        using var spill = NewSpill(NullLogger.Instance);
        var budget = new JournalBudget(2 * RowJournal.ChunkBytesOf(RowBytes));
        var sender = NewSender(acknowledged: rows);
        using (var journal = new RowJournal(_pool, budget, RowBytes, spill))
        {
            for (var p = 0; p < rows; p++)
            {
                while (spill.MemoryBytes > 8 << 20)
                {
                    await Task.Delay(1, TestContext.Current.CancellationToken); // the disk of a test machine may be slow
                }

                Assert.True(journal.TryPut(sender, p, p, Row(p)));
            }

            Assert.Equal(new PositionRange(0, rows), Assert.Single(sender.Out.ToArray()));
            if (!OperatingSystem.IsWindows())
            {
                Assert.Empty(Directory.EnumerateFiles(_folder)); // it has no name
            }

            for (var p = 0; p < rows;)
            {
                var count = Check(journal, sender, p, rows - p);
                if (count == 0)
                {
                    await _woken.WaitAsync(TestContext.Current.CancellationToken);
                }

                p += count;
            }
        }

        Assert.Equal((0, 0), (budget.Used, spill.UsedBytes));
        spill.Dispose();
        Assert.Equal(0, _pool.Outstanding);
        Assert.Empty(Directory.EnumerateFiles(_folder));
    }

    [Fact]
    public void Dispose_ChunksStillWaitToBeWritten_LeavesNothing()
    {
        var spill = NewSpill(NullLogger.Instance);
        var sender = NewSender(acknowledged: 10_000);
        using (var journal = new RowJournal(_pool, new JournalBudget(RowJournal.ChunkBytesOf(RowBytes)), RowBytes, spill))
        {
            for (var p = 0; p < 1000; p++)
            {
                Assert.True(journal.TryPut(sender, p, p, Row(p)));
            }

            spill.Dispose();
            Assert.True(journal.TryPut(sender, 1000, 1000, Row(1000))); // dropped now, not spilled
        }

        Assert.Equal(0, _pool.Outstanding);
        Assert.Empty(Directory.EnumerateFiles(_folder));
    }

    [Fact]
    public async Task TryPut_FolderThatCannotBe_WarnsOnceAndDrops()
    {
        var file = Path.Combine(_folder, "a-file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        var log = new LogRecorder<JournalSpill>();
        using var spill = NewSpill(log, Path.Combine(file, "below"));
        var sender = NewSender(acknowledged: 10_000);
        using var journal = new RowJournal(_pool, new JournalBudget(RowJournal.ChunkBytesOf(RowBytes)), RowBytes, spill);
        var p = 0;
        while (log.Warnings.Count == 0)
        {
            Assert.True(journal.TryPut(sender, p, p, Row(p)));
            p++;
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        for (var end = p + 100; p < end; p++)
        {
            Assert.True(journal.TryPut(sender, p, p, Row(p)));
        }

        Assert.Contains("cannot be written", Assert.Single(log.Warnings), StringComparison.Ordinal);
        Assert.True(Check(journal, sender, p - 1, 1) > 0);
    }

    [Fact]
    public void LocalSpillFile_FileOfAKilledProcess_IsDeleted()
    {
        var left = Path.Combine(_folder, "parallax-journal-0123456789abcdef.spill");
        File.WriteAllText(left, "hidden states");
        var other = Path.Combine(_folder, "something-else");
        File.WriteAllText(other, "");

        using var file = new LocalSpillFile(_folder);
        file.Write(100, [1, 2, 3]);
        var read = new byte[3];
        file.Read(100, read);

        Assert.Equal([1, 2, 3], read);
        Assert.Throws<EndOfStreamException>(() => file.Read(101, read));
        Assert.False(File.Exists(left));
        Assert.True(File.Exists(other));
        file.Clear();
        Assert.Throws<EndOfStreamException>(() => file.Read(0, read));
    }

    private JournalSpill NewSpill(Microsoft.Extensions.Logging.ILogger logger, string? folder = null) => new(
        new JournalSpillOptions { Folder = folder ?? _folder, ChunkBytes = RowJournal.ChunkBytesOf(RowBytes) },
        () => _woken.Release(),
        logger,
        _pool);

    private static HopSender NewSender(int acknowledged)
    {
        var sender = new HopSender(Epoch, 64);
        sender.Connected(1);
        Assert.True(sender.Resume(Epoch, 0, 0, 9));
        sender.OnMessage(1, new FlowMessage(FlowMessageKind.State, Session, Epoch, 9, acknowledged), []);
        return sender;
    }

    private static byte[] Row(int position)
    {
        var row = new byte[RowBytes];
        new Random(position).NextBytes(row);
        return row;
    }

    private static int Check(RowJournal journal, HopSender sender, int position, int count)
    {
        var rows = journal.Read(sender, position, count);
        for (var i = 0; i < rows.Count; i++)
        {
            Assert.Equal(position + i, rows.TokenIds[i]);
            Assert.True(rows.Payload.Slice(i * RowBytes, RowBytes).SequenceEqual(Row(position + i)));
        }

        return rows.Count;
    }
}
