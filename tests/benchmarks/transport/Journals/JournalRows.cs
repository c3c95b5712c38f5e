using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Contracts.Identifiers;
using Parallax.Transport.Buffers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.TransportBenchmark.Journals;

/// <summary>
/// Journals by themselves: what keeping a row costs the loop, and how fast a whole journal comes back from its file while
/// the loop never waits.
/// </summary>
internal static class JournalRows
{
    private const int Rows = 32 * 1024; // 256 MiB of 8 KiB
    private static readonly Epoch First = new(1, Guid.Empty, 0);

    public static void Measure(int rowBytes)
    {
        var folder = Directory.CreateTempSubdirectory("parallax-journal-rows-");
        try
        {
            Keep(rowBytes, memory: 1L << 30, folder: null, "in memory");
            Keep(rowBytes, memory: 1L << 20, folder: null, "dropped");
            Keep(rowBytes, memory: 1L << 20, folder.FullName, "spilled");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Keep(int rowBytes, long memory, string? folder, string name)
    {
        using var woken = new SemaphoreSlim(0);
        using var spill = folder is null ? null : new JournalSpill(
            new JournalSpillOptions { Folder = folder, ChunkBytes = RowJournal.ChunkBytesOf(rowBytes), QueueBytes = 1L << 30 },
            () => woken.Release(),
            NullLogger.Instance);
        var sender = new HopSender(First, 64);
        sender.Connected(1);
        sender.Resume(First, 0, 0, 9);
        sender.OnMessage(1, new FlowMessage(FlowMessageKind.State, SessionId.New(), First, 9, Rows), []);
        using var journal = new RowJournal(new TensorBufferPool(), new JournalBudget(memory), rowBytes, spill);
        var row = new byte[rowBytes];
        var began = Stopwatch.GetTimestamp();
        for (var p = 0; p < Rows; p++)
        {
            row[0] = (byte)p;
            if (!journal.TryReserve(sender, p, 1) || !journal.TryPut(sender, p, p, row))
            {
                throw new InvalidOperationException($"row {p} was not taken");
            }
        }

        Print($"keeping a row of {rowBytes} bytes, {name}: {Stopwatch.GetElapsedTime(began).TotalMicroseconds / Rows:F2} us of the loop");
        if (spill is not null)
        {
            ReadBack(journal, sender, spill, woken, rowBytes);
        }
    }

    private static void ReadBack(RowJournal journal, HopSender sender, JournalSpill spill, SemaphoreSlim woken, int rowBytes)
    {
        while (spill.MemoryBytes > 0)
        {
            woken.Wait(10); // until all of it is in the file
        }

        var (held, waits, longest, reading) = (sender.Out[0].Count, 0, 0L, 0L);
        var began = Stopwatch.GetTimestamp();
        for (var p = 0; p < held;)
        {
            var start = Stopwatch.GetTimestamp();
            var rows = journal.Read(sender, p, held - p);
            var took = Stopwatch.GetTimestamp() - start;
            (longest, reading) = (Math.Max(longest, took), reading + took);
            for (var i = 0; i < rows.Count; i++)
            {
                if (rows.TokenIds[i] != p + i || rows.Payload[i * rowBytes] != (byte)(p + i))
                {
                    throw new InvalidOperationException($"row {p + i} came back as another");
                }
            }

            if (rows.Count == 0)
            {
                waits++;
                woken.Wait();
            }

            p += rows.Count;
        }

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Print($"reading {held} rows back: {(double)held * rowBytes / seconds / 1e6:F0} MB/s; the loop was away for {Microseconds(reading):F0} us in all, {Microseconds(longest):F0} us at most, and had {waits} times to come again");
    }

    private static double Microseconds(long ticks) => ticks * 1e6 / Stopwatch.Frequency;

    private static void Print(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
