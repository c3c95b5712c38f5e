using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.TransportBenchmark;

/// <summary>Decode hop and prefill stream, each beside a raw socket in the same run.</summary>
internal static class Measurements
{
    private const int Warmup = 5_000;

    public static async Task<int> RunAsync(int frames, int prefillMiB)
    {
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, "serve")
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
            await using var hub = BenchmarkPeer.CreateHub(peer);
            hub.Connect(BenchmarkPeer.ServerId, new Uri(parts[0]));
            var (link, generation) = await peer.Connected.Task;

            Console.WriteLine($"{Environment.ProcessorCount} cores, {frames} frames, hidden {BenchmarkPeer.Hidden} bf16");
            MeasureChecksum();
            MeasureOwnAllocation(frames);
            MeasureRawHop(rawPort, frames / 4);
            MeasureHop(peer, link, generation, frames);
            for (var round = 0; round < 3; round++)
            {
                var raw = await MeasureRawStreamAsync(rawPort, prefillMiB);
                var ours = await MeasurePrefillAsync(peer, link, generation, prefillMiB);
                Print($"prefill stream {ours:F0} MB/s, raw socket copy with checksum {raw:F0} MB/s, ratio {ours / raw:P0}");
            }
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

    private static void MeasureHop(BenchmarkPeer peer, Link link, long generation, int frames)
    {
        using var came = new SemaphoreSlim(0);
        using var builder = new RowFrameBuilder(TensorBufferPool.Shared);
        peer.FrameHandler = (_, _, frame, _) =>
        {
            frame.Dispose();
            came.Release();
        };
        var row = new byte[BenchmarkPeer.Hidden * 2];
        var times = new long[frames];
        var (allocated, gen1) = (0L, 0);
        for (var i = -Warmup; i < frames; i++)
        {
            if (i == 0)
            {
                (allocated, gen1) = (GC.GetTotalAllocatedBytes(precise: true), GC.CollectionCount(1));
            }

            var start = Stopwatch.GetTimestamp();
            builder.Append(BenchmarkPeer.Row, [7], int.MaxValue, row);
            if (link.TrySend(builder.Complete()!, FramePriority.Decode, generation) != SendResult.Queued || !came.Wait(10_000))
            {
                throw new InvalidOperationException("A frame was not answered.");
            }

            if (i >= 0)
            {
                times[i] = Stopwatch.GetTimestamp() - start;
            }
        }

        // A round trip is one frame sent and one received here.
        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - allocated) / (2.0 * frames);
        PrintLatency("decode hop over a link", times);
        Print($"whole process, gRPC and HTTP/2 included: {bytes:F0} bytes allocated a frame, {GC.CollectionCount(1) - gen1} gen-1 collections");
    }

    private static void MeasureRawHop(int port, int messages)
    {
        using var client = new TcpClient { NoDelay = true };
        client.Connect(IPAddress.Loopback, port);
        var stream = client.GetStream();
        stream.WriteByte(0);
        var buffer = new byte[EchoServer.RawMessage];
        var times = new long[messages];
        for (var i = -1000; i < messages; i++)
        {
            var start = Stopwatch.GetTimestamp();
            stream.Write(buffer);
            stream.ReadExactly(buffer);
            if (i >= 0)
            {
                times[i] = Stopwatch.GetTimestamp() - start;
            }
        }

        PrintLatency("raw socket, 8 KiB", times);
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
        var count = mebibytes * (1 << 20) / (rows * BenchmarkPeer.Hidden * 2);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
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
                throw new InvalidOperationException("The link went down.");
            }
        }

        if (!await came.WaitAsync(TimeSpan.FromMinutes(1)))
        {
            throw new InvalidOperationException("The last frame was not answered.");
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
        var count = mebibytes * (1 << 20) / EchoServer.RawChunk;
        for (var i = 0; i < count; i++)
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

    private static void PrintLatency(string what, long[] roundTrips)
    {
        Array.Sort(roundTrips);
        Print($"{what}: one way (half a round trip) median {OneWay(0.5):F1} us, p90 {OneWay(0.9):F1} us, p99 {OneWay(0.99):F1} us");

        double OneWay(double quantile) =>
            roundTrips[(int)(quantile * (roundTrips.Length - 1))] * 1e6 / Stopwatch.Frequency / 2;
    }

    private static void Print(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
