using System.Runtime.CompilerServices;
using Parallax.KvBlocks;
using Parallax.KvBlocks.Index;
using Parallax.KvBlocks.Puts;
using static Parallax.UnitTests.KvBlocks.StoreFixture;

namespace Parallax.UnitTests.KvBlocks;

public sealed class BlockStoreTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public void Put_BeforeItsCommit_IsReadByNobody()
    {
        using var fixture = new StoreFixture();
        var reserved = fixture.Store.Reserve(Alice, [new PartClaim(Kv(1), 1000, 0)], TimeSpan.FromSeconds(10));
        Assert.Equal([ClaimState.Reserved], reserved.States);
        Assert.Equal(WriteState.Written, fixture.Write(reserved.Id, Kv(1), BytesOf(1, 1000)));

        Assert.Null(fixture.Read(Alice, Kv(1)));
        Assert.Equal([ClaimState.Busy], fixture.Store.Reserve(Alice, [new PartClaim(Kv(1), 1000, 0)], TimeSpan.FromSeconds(10)).States);

        Assert.Equal(1, fixture.Store.Commit(reserved.Id));
        Assert.Equal(BytesOf(1, 1000), fixture.Read(Alice, Kv(1)));
        Assert.Equal([ClaimState.Present], fixture.Store.Reserve(Alice, [new PartClaim(Kv(1), 1000, 0)], TimeSpan.FromSeconds(10)).States);
    }

    [Fact]
    public void Commit_OfAPutInPart_GivesTheRestBack()
    {
        using var fixture = new StoreFixture();
        var reserved = fixture.Store.Reserve(Alice, [new PartClaim(Kv(1), 1000, 0), new PartClaim(Kv(2), MiB, 1)], TimeSpan.FromSeconds(10));
        fixture.Write(reserved.Id, Kv(1), BytesOf(1, 1000));

        Assert.Equal(1, fixture.Store.Commit(reserved.Id));

        Assert.Equal(BlockStore.MemoryCost(1000), fixture.Store.Statistics.MemoryBytes);
        Assert.Equal(0, fixture.Store.Statistics.ReservedBytes);
        Assert.True(fixture.Put(Alice, 2, MiB));
    }

    [Fact]
    public void Reservation_WhoseTimeIsOver_TakesNothingAndHoldsNothing()
    {
        using var fixture = WithClock(out var clock);
        var reserved = fixture.Store.Reserve(Alice, [new PartClaim(Kv(1), 1000, 0)], TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(WriteState.NotReserved, fixture.Write(reserved.Id, Kv(1), BytesOf(1, 1000)));
        Assert.Equal(0, fixture.Store.Commit(reserved.Id));
        Assert.Equal((0L, 1L), (fixture.Store.Statistics.MemoryBytes, fixture.Store.Statistics.Expired));
    }

    [Fact]
    public void Write_OfAnythingElseThanWasReserved_IsRefused()
    {
        using var fixture = new StoreFixture();
        var reserved = fixture.Store.Reserve(Alice, [new PartClaim(Kv(1), 1000, 0)], TimeSpan.FromSeconds(10));

        Assert.Equal(WriteState.WrongLength, fixture.Write(reserved.Id, Kv(1), BytesOf(1, 999)));
        Assert.Equal(WriteState.NotReserved, fixture.Write(reserved.Id, Kv(2), BytesOf(1, 1000)));
        Assert.Equal(WriteState.NotReserved, fixture.Write(reserved.Id + 1, Kv(1), BytesOf(1, 1000)));
        Assert.Equal(WriteState.WrongChecksum, fixture.Store.Write(reserved.Id, Kv(1), fixture.Store.Rent(1000), 12345));
        Assert.Equal(0, fixture.Store.Commit(reserved.Id));
        Assert.Equal(0, fixture.Store.Statistics.MemoryBytes);
    }

    [Fact]
    public void Part_OfATenant_IsMissingToAnother()
    {
        using var fixture = new StoreFixture();
        Assert.True(fixture.Put(Alice, 1, 1000));

        Assert.Null(fixture.Read(Bob, Kv(1)));
        Assert.Equal(0, fixture.Store.Lookup(Bob, [1], new ChainQuery(0, 1, false)).Leading);
        Assert.Equal([false], fixture.Store.Acquire(Bob, [Kv(1)], TimeSpan.FromSeconds(1)).Held);
        Assert.True(fixture.Put(Bob, 1, 2000)); // neither in the way of the other
        Assert.Equal(BytesOf(1, 1000), fixture.Read(Alice, Kv(1)));
        Assert.Equal(BytesOf(1, 2000), fixture.Read(Bob, Kv(1)));
    }

    [Fact]
    public void Eviction_GivesUpTheEndOfAChainFirst()
    {
        using var fixture = new StoreFixture();
        for (var block = 1; block <= 12; block++)
        {
            Assert.True(fixture.Put(Alice, block, MiB, previous: block - 1));
        }

        for (var block = 101; block <= 106; block++)
        {
            Assert.True(fixture.Put(Alice, block, MiB, previous: block == 101 ? 0 : block - 1));
        }

        var left = Enumerable.Range(1, 12).Where(block => fixture.Has(Alice, Kv(block))).ToList();
        Assert.Equal(Enumerable.Range(1, left.Count), left);
        Assert.InRange(left.Count, 8, 9);
        Assert.All(Enumerable.Range(101, 6), block => Assert.True(fixture.Has(Alice, Kv(block))));
    }

    [Fact]
    public void Lookup_OfAChain_KeepsItsBeginningLongest()
    {
        using var fixture = new StoreFixture();
        for (var block = 1; block <= 14; block++)
        {
            Assert.True(fixture.Put(Alice, block, MiB)); // nobody says what follows what
        }

        Assert.Equal(7, fixture.Store.Lookup(Alice, [.. Enumerable.Range(1, 7).Select(static block => (UInt128)(uint)block)], new ChainQuery(0, 1, false)).Leading);
        for (var block = 101; block <= 111; block++)
        {
            Assert.True(fixture.Put(Alice, block, MiB));
        }

        var left = Enumerable.Range(1, 14).Where(block => fixture.Has(Alice, Kv(block))).ToList();
        Assert.NotEmpty(left);
        Assert.Equal(Enumerable.Range(1, left.Count), left);
    }

    [Fact]
    public void Eviction_TakesFromWhoIsMostOverItsShare()
    {
        using var fixture = new StoreFixture();
        Assert.True(fixture.Put(Bob, 1, MiB)); // the oldest of all
        for (var block = 1; block <= 40; block++)
        {
            Assert.True(fixture.Put(Alice, block, MiB));
        }

        Assert.True(fixture.Has(Bob, Kv(1)));
        for (var block = 2; block <= 40; block++)
        {
            Assert.True(fixture.Put(Bob, block, MiB));
        }

        var found = new List<ScannedPart>();
        fixture.Store.Scan(0, int.MaxValue, found);
        Assert.InRange(found.Count(static part => part.Tenant == Alice), 7, 8);
        Assert.InRange(found.Count(static part => part.Tenant == Bob), 7, 8);
    }

    [Fact]
    public void Tenant_ThatIsIdle_HasNoShare()
    {
        using var fixture = WithClock(out var clock);
        for (var block = 1; block <= 6; block++)
        {
            Assert.True(fixture.Put(Bob, block, MiB));
        }

        clock.Advance(TimeSpan.FromMinutes(11));
        for (var block = 1; block <= 14; block++)
        {
            Assert.True(fixture.Put(Alice, block, MiB));
        }

        Assert.All(Enumerable.Range(1, 14), block => Assert.True(fixture.Has(Alice, Kv(block))));
        Assert.False(fixture.Has(Bob, Kv(5)));
    }

    [Fact]
    public void Lease_KeepsAPartUntilItIsGivenBackOrItsTimeIsOver()
    {
        using var fixture = WithClock(out var clock);
        Assert.True(fixture.Put(Alice, 1, MiB));
        Assert.True(fixture.Put(Alice, 2, MiB));
        var (first, second) = (fixture.Store.Acquire(Alice, [Kv(1)], TimeSpan.FromSeconds(20)), fixture.Store.Acquire(Alice, [Kv(2)], TimeSpan.FromSeconds(20)));
        Fill(100);
        Assert.True(fixture.Has(Alice, Kv(1)) && fixture.Has(Alice, Kv(2)));

        fixture.Store.Release(first.Id);
        Fill(200);
        Assert.False(fixture.Has(Alice, Kv(1)));
        Assert.True(fixture.Has(Alice, Kv(2)));

        clock.Advance(TimeSpan.FromSeconds(20));
        Fill(300);
        Assert.False(fixture.Has(Alice, Kv(2)));
        fixture.Store.Release(second.Id);

        void Fill(int from)
        {
            for (var block = from; block < from + 20; block++)
            {
                Assert.True(fixture.Put(Alice, block, MiB));
            }
        }
    }

    [Fact]
    public void Reserve_OfMoreThanAQuarter_FindsNoRoom()
    {
        using var fixture = new StoreFixture();
        var reserved = fixture.Store.Reserve(Alice, [.. Enumerable.Range(1, 5).Select(static block => new PartClaim(Kv(block), MiB, 0))], TimeSpan.FromSeconds(1));
        Assert.Equal([ClaimState.Reserved, ClaimState.Reserved, ClaimState.Reserved, ClaimState.NoRoom, ClaimState.NoRoom], reserved.States);
    }

    [Fact]
    public void Reserve_OfWhatCannotBe_IsInvalid()
    {
        using var fixture = new StoreFixture();
        PartClaim[] claims =
        [
            new(Kv(1), 0, 0), new(Kv(1), -1, 0), new(Kv(1), PartLimits.MostPartBytes + 1, 0), new(Kv(1, -1), 1, 0), new(Kv(1, PartAddress.MostLayers), 1, 0),
            new(new PartAddress(1, 0, 0), 1, 0), new(new PartAddress(1, (PartKind)3, 0), 1, 0),
        ];

        Assert.All(fixture.Store.Reserve(Alice, claims, TimeSpan.FromSeconds(1)).States, static state => Assert.Equal(ClaimState.Invalid, state));
        Assert.Equal(0, fixture.Store.Statistics.Tenants);
    }

    [Fact]
    public void Index_TakesLessThan120BytesAPart() => Assert.True(Unsafe.SizeOf<PartSlot>() + (2 * sizeof(int)) < 120, $"{Unsafe.SizeOf<PartSlot>()}");
}
