using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.TransportBenchmark;

/// <summary>
/// Decode hop and prefill stream, each beside a raw socket: the two take turns in rounds, and the ratio is that of each
/// round, so that what else runs on the machine meets both.
/// </summary>
internal static class Measurements
{
    private const int Warmup = 20_000; // the JIT compiles in the background; it needs time more than calls
    private const int Rounds = 5;

    public static async Task<int> RunAsync(int frames, int prefillMiB, bool tls)
    {
        using var swarm = tls ? await BenchmarkSwarm.FoundAsync() : null;
        string[] arguments = swarm is null ? ["serve"] : ["serve", swarm.ServerFolder];
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        try
        {
            var line = await server.StandardOutput.ReadLineAsync()
                ?? throw new InvalidOperationException("The server process ended before it said its address.");
            var parts = line.Split(' ');
            var rawPort = int.Parse(parts[1], CultureInfo.InvariantCulture);
            var peer = new BenchmarkPeer();
            await using var hub = BenchmarkPeer.CreateHub(peer, swarm?.Client);
            hub.Connect(swarm?.ServerId ?? BenchmarkPeer.ServerId, new Uri(parts[0]));
            var (link, generation) = await peer.Connected.Task;

            Console.WriteLine($"{Environment.ProcessorCount} cores, {frames} frames, hidden {BenchmarkPeer.Hidden} bf16, {(tls ? "mutual TLS" : "clear text")}");
            MeasureChecksum();
            MeasureOwnAllocation(frames);
            MeasureHops(peer, link, generation, rawPort, frames);
            await MeasureStreamsAsync(peer, link, generation, rawPort, prefillMiB, server);
        }
        finally
        {
            server.StandardInput.Close();
            await server.WaitForExitAsync();
        }

        return 0;
    }

    private static void MeasureChecksum()
    {
        var bytes = new byte[FrameLimits.MaxFrameBytes];
        var (best, sum) = (double.MaxValue, 0u);
        for (var i = 0; i < 2000; i++)
        {
            var start = Stopwatch.GetTimestamp();
            sum ^= Crc32C.Compute(bytes);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        Print($"checksum of 256 KiB, best of 2000: {bytes.Length / best / 1e9:F1} GB/s ({sum})");
    }

    // Everything of ours that a frame passes on both sides, without gRPC between.
    private static void MeasureOwnAllocation(int frames)
    {
        var queue = new SendQueue(new LinkOptions());
        using var builder = new RowFrameBuilder(TensorBufferPool.Shared);
        var row = new byte[BenchmarkPeer.Hidden * 2];
        var (start, elapsed) = (0L, 0L);
        for (var i = 0; i < Warmup + frames; i++)
        {
            if (i == Warmup)
            {
                (start, elapsed) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
            }

            builder.Append(BenchmarkPeer.Row, [7], int.MaxValue, row);
            queue.TryEnqueue(builder.Complete()!, FramePriority.Decode);
            queue.TryDequeue(out var frame);
            FrameHeader.Seal(frame.Span, (ulong)i + 1);
            FrameHeader.Read(frame.Span, out var header);
            var reader = new RowFrameReader(frame.Span, header);
            while (reader.MoveNext())
            {
                reader.Current.Row(0).CopyTo(row);
            }

            frame.Dispose();
        }

        var time = Stopwatch.GetElapsedTime(elapsed);
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - start) / (double)frames;
        Print($"own code, frame built, queued, sealed, checked, read: {time.TotalMicroseconds / frames:F2} us, {bytes:F2} bytes allocated a frame");
    }

    private static void MeasureHops(BenchmarkPeer peer, Link link, long generation, int rawPort, int frames)
    {
        using var came = new SemaphoreSlim(0);
        peer.FrameHandler = (_, _, frame, _) =>
        {
            frame.Dispose();
            came.Release();
        };
        using var client = new TcpClient { NoDelay = true };
        client.Connect(IPAddress.Loopback, rawPort);
        var stream = client.GetStream();
        stream.WriteByte(0);
        var (ours, raw) = (new List<long>(frames), new List<long>(frames / 4));
        Hop(peer, link, generation, came, Warmup, new List<long>(Warmup));
        RawHop(stream, Warmup / 4, new List<long>(Warmup));

        // What start and warm-up left is collected now, so that it is not what a collection finds later.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        var (allocated, gen0, gen1) = (0L, GC.CollectionCount(0), GC.CollectionCount(1));
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalAllocatedBytes();
            Hop(peer, link, generation, came, frames / Rounds, ours);
            allocated += GC.GetTotalAllocatedBytes() - before;
            RawHop(stream, frames / Rounds / 4, raw);
        }

        (gen0, gen1) = (GC.CollectionCount(0) - gen0, GC.CollectionCount(1) - gen1);
        PrintLatency("raw socket, 8 KiB", raw);
        PrintLatency("decode hop over a link", ours);
        // A round trip is one frame sent and one received here.
        Print($"whole process, gRPC and HTTP/2 included: {allocated / (2.0 * ours.Count):F0} bytes allocated a frame; {gen0} collections, {gen1} of them gen-1, in {2 * ours.Count} frames");
    }

    private static void Hop(BenchmarkPeer peer, Link link, long generation, SemaphoreSlim came, int frames, List<long> times)
    {
        using var builder = new RowFrameBuilder(TensorBufferPool.Shared);
        var row = new byte[BenchmarkPeer.Hidden * 2];
        for (var i = 0; i < frames; i++)
        {
            var start = Stopwatch.GetTimestamp();
            builder.Append(BenchmarkPeer.Row, [7], int.MaxValue, row);
            if (link.TrySend(builder.Complete()!, FramePriority.Decode, generation) != SendResult.Queued || !came.Wait(60_000))
            {
                throw new InvalidOperationException($"A frame was not answered within a minute ({peer.Down ?? "the link is up"}).");
            }

            times.Add(Stopwatch.GetTimestamp() - start);
        }
    }

    private static void RawHop(NetworkStream stream, int messages, List<long> times)
    {
        var buffer = new byte[EchoServer.RawMessage];
        for (var i = 0; i < messages; i++)
        {
            var start = Stopwatch.GetTimestamp();
            stream.Write(buffer);
            stream.ReadExactly(buffer);
            times.Add(Stopwatch.GetTimestamp() - start);
        }
    }

    private static async Task MeasureStreamsAsync(BenchmarkPeer peer, Link link, long generation, int rawPort, int mebibytes, Process server)
    {
        var (ours, raw) = (new List<(double Rate, double Cpu)>(), new List<(double Rate, double Cpu)>());
        for (var round = -1; round < Rounds; round++)
        {
            var cpu = Processor();
            var rate = await MeasurePrefillAsync(peer, link, generation, mebibytes);
            var between = Processor();
            var rawRate = await MeasureRawStreamAsync(rawPort, mebibytes);
            if (round >= 0)
            {
                ours.Add((rate, (between - cpu).TotalMilliseconds * 1024 / mebibytes));
                raw.Add((rawRate, (Processor() - between).TotalMilliseconds * 1024 / mebibytes));
                Print($"round {round + 1}: prefill stream {rate:F0} MB/s, raw socket {rawRate:F0} MB/s, ratio {rate / rawRate:P0}");
            }
        }

        var ratio = Median(ours.Zip(raw, (a, b) => a.Rate / b.Rate));
        Print($"prefill stream, 256 KiB frames: median {Median(ours.Select(o => o.Rate)):F0} MB/s, {Median(ours.Select(o => o.Cpu)):F0} ms of processor a GiB, both sides");
        Print($"raw socket copy with checksum: median {Median(raw.Select(r => r.Rate)):F0} MB/s, {Median(raw.Select(r => r.Cpu)):F0} ms of processor a GiB, both sides");
        Print($"ratio, median of the rounds': {ratio:P0}");

        TimeSpan Processor()
        {
            server.Refresh();
            return server.TotalProcessorTime + Environment.CpuUsage.TotalTime;
        }

        static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);
    }

    private static async Task<double> MeasurePrefillAsync(BenchmarkPeer peer, Link link, long generation, int mebibytes)
    {
        using var came = new SemaphoreSlim(0);
        peer.FrameHandler = (_, _, frame, _) =>
        {
            frame.Dispose();
            came.Release();
        };
        using var builder = new RowFrameBuilder(TensorBufferPool.Shared);
        const int rows = 31; // 31 rows of 8 KiB fill a frame of 256 KiB
        var ids = new int[rows];
        var payload = new byte[rows * BenchmarkPeer.Hidden * 2];
        var count = ((long)mebibytes << 20) / payload.Length;
        var start = Stopwatch.GetTimestamp();
        for (var i = 0L; i < count; i++)
        {
            builder.Append(BenchmarkPeer.Row with { Count = rows }, ids, i == count - 1 ? 0 : int.MaxValue, payload);
            var frame = builder.Complete()!;
            SendResult result;
            while ((result = link.TrySend(frame, FramePriority.Prefill, generation)) == SendResult.Full)
            {
                await link.WaitToSendAsync(FramePriority.Prefill, generation, CancellationToken.None);
            }

            if (result != SendResult.Queued)
            {
                throw new InvalidOperationException($"The link went down ({peer.Down}).");
            }
        }

        if (!await came.WaitAsync(TimeSpan.FromMinutes(1)))
        {
            throw new InvalidOperationException($"The last frame was not answered within a minute ({peer.Down ?? "the link is up"}).");
        }

        return (double)count * payload.Length / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6;
    }

    private static async Task<double> MeasureRawStreamAsync(int port, int mebibytes)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port);
        var stream = client.GetStream();
        stream.WriteByte(1);
        var (source, buffer) = (new byte[EchoServer.RawChunk], new byte[EchoServer.RawChunk]);
        var sum = 0u;
        var start = Stopwatch.GetTimestamp();
        var count = ((long)mebibytes << 20) / EchoServer.RawChunk;
        for (var i = 0L; i < count; i++)
        {
            source.CopyTo(buffer, 0);
            sum ^= Crc32C.Compute(buffer);
            await stream.WriteAsync(buffer);
        }

        client.Client.Shutdown(SocketShutdown.Send);
        var answer = new byte[4];
        await stream.ReadExactlyAsync(answer);
        return BitConverter.ToUInt32(answer) == sum
            ? (double)count * EchoServer.RawChunk / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6
            : throw new InvalidOperationException("The checksums differ.");
    }

    private static void PrintLatency(string what, List<long> roundTrips)
    {
        roundTrips.Sort();
        Print($"{what}: one way (half a round trip) median {OneWay(0.5):F1} us, p90 {OneWay(0.9):F1} us, p99 {OneWay(0.99):F1} us");

        double OneWay(double quantile) =>
            roundTrips[(int)(quantile * (roundTrips.Count - 1))] * 1e6 / Stopwatch.Frequency / 2;
    }

    private static void Print(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
