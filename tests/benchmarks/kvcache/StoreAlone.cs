using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Disk;
using Parallax.KvBlocks.Puts;
using Parallax.Transport.Framing;

namespace Parallax.KvCacheBenchmark;

/// <summary>The store without a wire: what is left when HTTP/2 and TLS are taken away, and what the disk and the index do.</summary>
internal static class StoreAlone
{
    private const int PartBytes = 64 << 10;
    private const int IndexParts = 200_000;

    public static IReadOnlyList<string> Head => ["the store by itself", "measured"];

    public static async Task<IReadOnlyList<IReadOnlyList<string>>> MeasureAsync(long bytes)
    {
        var folder = Directory.CreateTempSubdirectory("parallax-kv-benchmark-store-");
        try
        {
            var rows = new List<IReadOnlyList<string>>();
            var count = (int)(bytes / PartBytes);
            var tenant = TenantId.Of("store");
            var options = new BlockStoreOptions { MemoryBytes = (2 * bytes) + BlockStoreOptions.LeastMemoryBytes, DiskBytes = 4 * bytes };
            using (var store = new BlockStore(options, TimeProvider.System))
            {
                var began = Stopwatch.GetTimestamp();
                await using (Open(store, folder.FullName, options))
                {
                    Put(store, tenant, count, PartBytes);
                    rows.Add(["put, 64 KiB parts, with two checksums and a copy", Rate(bytes, Stopwatch.GetElapsedTime(began))]);
                    while (store.Statistics.DiskBytes < count * (long)PartBytes)
                    {
                        await Task.Delay(1);
                    }

                    rows.Add(["put and written to disk (not flushed)", Rate(bytes, Stopwatch.GetElapsedTime(began))]);
                }
            }

            using (var store = new BlockStore(options, TimeProvider.System))
            {
                var began = Stopwatch.GetTimestamp();
                await using var tier = Open(store, folder.FullName, options);
                rows.Add([$"start with {count} parts on disk", string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms")]);
                began = Stopwatch.GetTimestamp();
                for (var number = 0; number < count; number++)
                {
                    using var part = await store.ReadAsync(tenant, Address(number), CancellationToken.None) ?? throw new InvalidOperationException("A part is missing.");
                }

                rows.Add(["get from disk (the system's cache), with a checksum", Rate(bytes, Stopwatch.GetElapsedTime(began))]);
            }

            rows.Add(MeasureIndex(tenant));
            return rows;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Bytes of the index for a part: many small parts, less their buffers.</summary>
    private static IReadOnlyList<string> MeasureIndex(TenantId tenant)
    {
        const int smallest = 1;
        var options = new BlockStoreOptions { MemoryBytes = IndexParts * 2 * BlockStore.MemoryCost(smallest) };
        using var store = new BlockStore(options, TimeProvider.System);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Put(store, tenant, IndexParts, smallest);
        var all = GC.GetTotalMemory(forceFullCollection: true) - before;
        return [$"memory of {IndexParts} parts of 1 byte, each with its buffer of 256", string.Create(CultureInfo.InvariantCulture, $"{all / (double)IndexParts:0} bytes a part, of {BlockStore.MemoryCost(smallest)} accounted")];
    }

    private static DiskTier Open(BlockStore store, string folder, BlockStoreOptions options) => DiskTier.Open(
        store, StoreFolder.TakeWithin(folder), new DiskTierOptions { Bytes = options.DiskBytes }, TimeProvider.System, NullLogger<DiskTier>.Instance);

    private static void Put(BlockStore store, TenantId tenant, int count, int size)
    {
        var bytes = new byte[size];
        new Random(2).NextBytes(bytes);
        for (var first = 0; first < count; first += 16)
        {
            var claims = Enumerable.Range(first, Math.Min(16, count - first)).Select(number => new PartClaim(Address(number), size, 0)).ToArray();
            var reserved = store.Reserve(tenant, claims, TimeSpan.FromSeconds(10));
            foreach (var claim in claims)
            {
                var payload = store.Rent(size);
                bytes.CopyTo(payload.Span);
                if (store.Write(reserved.Id, claim.Address, payload, Crc32C.Compute(bytes)) != WriteState.Written)
                {
                    throw new InvalidOperationException("A part was not taken.");
                }
            }

            store.Commit(reserved.Id);
        }
    }

    private static PartAddress Address(int number) => new((UInt128)(uint)(number / 16) << 64 | 7, PartKind.Kv, number % 16);

    private static string Rate(long bytes, TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{bytes / time.TotalSeconds / 1e6:0} MB/s");
}
