using System.Diagnostics;
using System.Globalization;
using Parallax.KvBlocks;
using Parallax.KvClient;

namespace Parallax.KvCacheBenchmark;

/// <summary>Parts put to the instance and fetched back, by several calls at once.</summary>
internal static class Transfers
{
    private const int PartsOfBlock = 16;

    private static int _nextHash = 1;

    public static IReadOnlyList<string> Head => ["part", "calls at once", "put", "processor for a GiB", "get", "processor for a GiB"];

    public static async Task<IReadOnlyList<string>> MeasureAsync(KvCacheClient client, ServerProcess server, int size, int calls, long bytes, CancellationToken stop)
    {
        var count = (int)(bytes / size / calls);
        var payload = new byte[size];
        new Random(1).NextBytes(payload);
        var tenant = TenantId.Of("benchmark");
        await PutAsync(client, tenant, Parts(payload, Math.Min(count, 64)), stop); // connections, and code that is compiled
        var shares = Enumerable.Range(0, calls).Select(_ => Parts(payload, count)).ToList();

        var total = (double)size * count * calls;
        var put = await TimeAsync(server, total, shares.Select(parts => Task.Run(() => PutAsync(client, tenant, parts, stop), stop)));
        var get = await TimeAsync(server, total, shares.Select(parts => Task.Run(() => GetAsync(client, tenant, parts, stop), stop)));
        return [string.Create(CultureInfo.InvariantCulture, $"{size >> 10} KiB"), calls.ToString(CultureInfo.InvariantCulture), put.Rate, put.Processor, get.Rate, get.Processor];
    }

    /// <summary>Bytes a second, and what both processes together took of the processor, which says something on a busy machine too.</summary>
    private static async Task<(string Rate, string Processor)> TimeAsync(ServerProcess server, double bytes, IEnumerable<Task> transfers)
    {
        var (began, busy) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime + server.ProcessorTime);
        await Task.WhenAll(transfers);
        var time = Stopwatch.GetElapsedTime(began);
        busy = Environment.CpuUsage.TotalTime + server.ProcessorTime - busy;
        return (
            string.Create(CultureInfo.InvariantCulture, $"{bytes / time.TotalSeconds / 1e6:0} MB/s"),
            string.Create(CultureInfo.InvariantCulture, $"{busy.TotalMilliseconds / (bytes / (1 << 30)):0} ms"));
    }

    private static List<PartToPut> Parts(byte[] payload, int count)
    {
        var first = Interlocked.Add(ref _nextHash, count) - count;
        return [.. Enumerable.Range(first, count).Select(number => new PartToPut(
            new PartAddress((UInt128)(uint)(number / PartsOfBlock) << 64 | 1, PartKind.Kv, number % PartsOfBlock), payload, 0))];
    }

    private static async Task PutAsync(KvCacheClient client, TenantId tenant, List<PartToPut> parts, CancellationToken stop)
    {
        var outcome = await client.PutAsync(tenant, parts, stop);
        if (outcome.Sent != parts.Count)
        {
            throw new InvalidOperationException($"{outcome.Sent} of {parts.Count} parts were put.");
        }
    }

    private static async Task GetAsync(KvCacheClient client, TenantId tenant, List<PartToPut> parts, CancellationToken stop)
    {
        // As a restore does: some megabytes at a time, whose memory is given back.
        foreach (var batch in parts.Chunk(Math.Max(1, (16 << 20) / parts[0].Payload.Length)))
        {
            using var found = await client.GetAsync(tenant, [.. batch.Select(static part => part.Address)], stop);
            if (found.Found != batch.Length)
            {
                throw new InvalidOperationException($"{found.Found} of {batch.Length} parts were found.");
            }
        }
    }
}
