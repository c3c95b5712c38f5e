using Microsoft.Extensions.Logging.Abstractions;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Disk;
using static Parallax.UnitTests.KvBlocks.StoreFixture;

namespace Parallax.UnitTests.KvBlocks;

public sealed class DiskTierTests : IDisposable
{
    private const int MiB = 1 << 20;
    private const long Budget = DiskTierOptions.LeastBytes;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-kvblocks-");

    [Fact]
    public async Task Restart_FindsWhatWasPut()
    {
        using (var before = NewStore())
        {
            await using var tier = Open(before);
            for (var block = 1; block <= 20; block++)
            {
                Assert.True(before.Put(block % 2 == 0 ? Alice : Bob, block, 1000 + block, layer: block));
            }
        }

        using var after = NewStore();
        await using var again = Open(after);
        Assert.Equal(20, again.Statistics.Restored);
        for (var block = 1; block <= 20; block++)
        {
            var (mine, other) = block % 2 == 0 ? (Alice, Bob) : (Bob, Alice);
            Assert.Equal(BytesOf(block, 1000 + block), after.Read(mine, Kv(block, block)));
            Assert.Null(after.Read(other, Kv(block, block)));
        }

        Assert.Equal(20, after.Store.Statistics.DiskHits);
    }

    [Fact]
    public async Task Part_ThatLeftMemory_ComesBackFromDisk()
    {
        using var fixture = NewStore();
        await using var tier = Open(fixture);
        for (var block = 1; block <= 24; block++)
        {
            Assert.True(fixture.Put(Alice, block, MiB));
            await WrittenAsync(fixture, tier);
        }

        Assert.True(fixture.Store.Statistics.MemoryEvictions > 0);
        Assert.Equal(0, fixture.Store.Statistics.Lost);
        Assert.All(Enumerable.Range(1, 24), block => Assert.Equal(BytesOf(block, MiB), fixture.Read(Alice, Kv(block))));
        Assert.True(fixture.Store.Statistics.MemoryBytes <= BlockStoreOptions.LeastMemoryBytes);
    }

    [Fact]
    public async Task Files_StayBelowTheBudget_AndWhatIsReadIsRight()
    {
        using var fixture = NewStore();
        await using var tier = Open(fixture);
        var random = new Random(5);
        for (var i = 1; i <= 300; i++)
        {
            var block = random.Next(1, 400);
            fixture.Put(block % 3 == 0 ? Alice : Bob, block, 100_000 + (block * 700));
            if (i % 3 == 0)
            {
                _ = fixture.Store.Lookup(Alice, [(UInt128)(uint)random.Next(1, 400)], new ChainQuery(0, 1, false)); // use, so that segments are left with some of it
            }

            if (i % 10 == 0)
            {
                await WrittenAsync(fixture, tier);
                Assert.True(tier.Statistics.FileBytes <= Budget, $"{tier.Statistics.FileBytes}");
            }
        }

        var statistics = tier.Statistics;
        Assert.True(statistics.Dropped > 5 && statistics.CompactedBytes > 0 && fixture.Store.Statistics.DiskEvictions > 0, $"{statistics}");
        Assert.Equal(_folder.EnumerateFiles("*.kvseg").Sum(static file => file.Length), statistics.FileBytes);
        Assert.Equal((0L, null), (statistics.WriteFailures, statistics.Problem));
        var found = new List<ScannedPart>();
        fixture.Store.Scan(0, int.MaxValue, found);
        Assert.All(found, part => Assert.Equal(BytesOf((int)part.Address.Hash, part.Length), fixture.Read(part.Tenant, part.Address)));
        Assert.Equal(0, fixture.Store.Statistics.Corrupt);
    }

    [Fact]
    public async Task Part_DamagedOnDisk_IsAMissAndCanBePutAgain()
    {
        using (var before = NewStore())
        {
            await using var tier = Open(before);
            Assert.True(before.Put(Alice, 1, 1000));
            Assert.True(before.Put(Alice, 2, 1000));
        }

        var file = _folder.EnumerateFiles("*.kvseg").Single().FullName;
        var bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        bytes[SegmentHeader.Size + RecordHeader.Size + 500] ^= 0x10; // of the first part's payload
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);

        using var after = NewStore();
        await using var again = Open(after);
        Assert.Null(after.Read(Alice, Kv(1)));
        Assert.Equal(BytesOf(2, 1000), after.Read(Alice, Kv(2)));
        Assert.Equal((1L, 1), (after.Store.Statistics.Corrupt, after.Store.Statistics.Parts));
        Assert.True(after.Put(Alice, 1, 1000));
        Assert.Equal(BytesOf(1, 1000), after.Read(Alice, Kv(1)));
    }

    [Fact]
    public async Task Files_OfAnotherVersionAndOfOthers_AreLeftAlone()
    {
        var other = SegmentFile.PathOf(_folder.FullName, 7);
        var header = new byte[SegmentHeader.Size + 10];
        SegmentHeader.Write(header, 1, version: 2);
        await File.WriteAllBytesAsync(other, header, TestContext.Current.CancellationToken);
        var foreign = Path.Combine(_folder.FullName, "notes.txt");
        await File.WriteAllTextAsync(foreign, "mine", TestContext.Current.CancellationToken);
        var misnamed = SegmentFile.PathOf(_folder.FullName, 3);
        await File.WriteAllTextAsync(misnamed, "not a segment at all, but a text", TestContext.Current.CancellationToken);

        using (var fixture = NewStore())
        {
            await using var tier = Open(fixture);
            Assert.True(fixture.Put(Alice, 1, 1000));
            Assert.Equal(2, tier.Statistics.FilesLeftAlone);
        }

        Assert.Equal(header, await File.ReadAllBytesAsync(other, TestContext.Current.CancellationToken));
        Assert.Equal("mine", await File.ReadAllTextAsync(foreign, TestContext.Current.CancellationToken));
        Assert.True(File.Exists(misnamed));
        Assert.True(File.Exists(SegmentFile.PathOf(_folder.FullName, 8)));
    }

    [Fact]
    public async Task Folders_AreTakenByOneStoreEach()
    {
        using var fixture = NewStore();
        await using (Open(fixture))
        {
            Assert.Null(StoreFolder.TryTake(_folder.FullName));
        }

        using var again = StoreFolder.TryTake(_folder.FullName);
        Assert.NotNull(again);
        using var first = StoreFolder.TakeWithin(_folder.FullName);
        using (var second = StoreFolder.TakeWithin(_folder.FullName))
        {
            Assert.Equal([Path.Combine(_folder.FullName, "1"), Path.Combine(_folder.FullName, "2")], [first.Path, second.Path]);
        }

        using var third = StoreFolder.TakeWithin(_folder.FullName);
        Assert.Equal(Path.Combine(_folder.FullName, "2"), third.Path);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static StoreFixture NewStore() => new(disk: Budget, clock: TimeProvider.System);

    private static async Task WrittenAsync(StoreFixture fixture, DiskTier tier)
    {
        // The writer takes a part out of the queue before it writes it, and counts it when it is done with it.
        while (fixture.Store.Statistics is var store && tier.Statistics is var disk && (store.Unwritten > 0 || disk.Written + disk.Skipped + store.Lost < store.Puts))
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    private DiskTier Open(StoreFixture fixture) =>
        DiskTier.Open(fixture.Store, StoreFolder.TryTake(_folder.FullName)!, new DiskTierOptions { Bytes = Budget }, TimeProvider.System, NullLogger<DiskTier>.Instance);
}
