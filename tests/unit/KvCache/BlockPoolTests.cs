using Parallax.Runtime.KvCache;

namespace Parallax.UnitTests.KvCache;

public class BlockPoolTests
{
    [Fact]
    public void Rent_AllTaken_ReturnsNone()
    {
        var pool = new BlockPool(2);

        Assert.Equal(0, pool.Rent());
        Assert.Equal(1, pool.Rent());
        Assert.Equal(-1, pool.Rent());
        Assert.Equal((0, 2, 0), (pool.Free, pool.Used, pool.Cached));
    }

    [Fact]
    public void Release_LastHolderOfPlainBlock_FreesIt()
    {
        var pool = new BlockPool(1);
        var block = pool.Rent();
        pool.AddReference(block);

        pool.Release(block);
        Assert.Equal(1, pool.Used);
        pool.Release(block);

        Assert.Equal((1, 0, 0), (pool.Free, pool.Used, pool.Cached));
        pool.CheckInvariants();
    }

    [Fact]
    public void Release_LastHolderOfAttachedBlock_CachesItInOrderOfRelease()
    {
        var pool = new BlockPool(3);
        var (a, b, c) = (pool.Rent(), pool.Rent(), pool.Rent());
        pool.Attach(a, 7);
        pool.Attach(b, 8);
        pool.Attach(c, 9);

        pool.Release(b);
        pool.Release(a);
        pool.Release(c);
        pool.AddReference(b);

        Assert.Equal(a, pool.OldestCached);
        pool.Evict(a);
        Assert.Equal(c, pool.OldestCached);
        Assert.Equal((1, 1, 1), (pool.Free, pool.Used, pool.Cached));
        pool.CheckInvariants();
    }

    [Fact]
    public void Evict_ReferencedBlock_IsRefused()
    {
        var pool = new BlockPool(1);
        var block = pool.Rent();
        pool.Attach(block, 0);

        Assert.Throws<InvalidOperationException>(() => pool.Evict(block));
    }

    [Fact]
    public void Release_FreeBlock_IsRefused()
    {
        var pool = new BlockPool(1);

        Assert.Throws<InvalidOperationException>(() => pool.Release(0));
        Assert.Throws<InvalidOperationException>(() => pool.AddReference(0));
    }
}
