using System.Diagnostics;
using System.Globalization;
using Parallax.KvBlocks;
using Parallax.KvClient;

namespace Parallax.KvCacheBenchmark;

/// <summary>How long a question about a chain takes.</summary>
internal static class Lookups
{
    private const int Layers = 12;

    public static IReadOnlyList<string> Head => ["question", "p50", "p99"];

    public static async Task<IReadOnlyList<IReadOnlyList<string>>> MeasureAsync(KvCacheClient client, int times, CancellationToken stop)
    {
        var rows = new List<IReadOnlyList<string>>();
        var tenant = TenantId.Of("questions");
        foreach (var blocks in new[] { 8, 64, 256 })
        {
            var chain = Enumerable.Range(1, blocks).Select(block => (UInt128)(uint)block << 64 | (uint)blocks).ToArray();
            var parts = chain.SelectMany((hash, place) => Enumerable.Range(0, Layers).Select(layer =>
                new PartToPut(new PartAddress(hash, PartKind.Kv, layer), new byte[64], place == 0 ? 0 : chain[place - 1]))).ToList();
            await client.PutAsync(tenant, parts, stop);
            var taken = new double[times];
            for (var i = -100; i < times; i++)
            {
                var began = Stopwatch.GetTimestamp();
                var found = await client.LookupAsync(tenant, chain, new ChainQuery(0, Layers, false), stop);
                if (found.Leading != blocks)
                {
                    throw new InvalidOperationException($"{found.Leading} of {blocks} blocks were found.");
                }

                if (i >= 0)
                {
                    taken[i] = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
                }
            }

            Array.Sort(taken);
            rows.Add([$"{blocks} blocks ({blocks * 16} positions), {Layers} layers", Time(taken[times / 2]), Time(taken[times * 99 / 100])]);
        }

        return rows;
    }

    private static string Time(double microseconds) => string.Create(CultureInfo.InvariantCulture, $"{microseconds:0} us");
}
