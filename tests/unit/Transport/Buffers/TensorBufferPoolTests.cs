using Parallax.Testing;
using Parallax.Transport.Buffers;

namespace Parallax.UnitTests.Transport.Buffers;

public sealed class TensorBufferPoolTests
{
    [Fact]
    public void Rent_AfterReturn_GivesTheSameBufferAndAllocatesNothing()
    {
        var pool = new TensorBufferPool();
        pool.Rent(5000, "test").Dispose();
        var allocated = Allocations.OfWarm(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                pool.Rent(8192, "test").Dispose();
            }
        });

#if !DEBUG
        Assert.Equal(0, allocated);
#else
        Assert.True(allocated < 1000 * 1024); // leak tracking allocates, the bytes do not
#endif
        Assert.Equal((0, 8192), (pool.Outstanding, pool.IdleBytes));
    }

    [Fact]
    public void Dispose_SharedOwners_ReturnsAtTheLastAndRefusesOneMore()
    {
        var pool = new TensorBufferPool();
        var buffer = pool.Rent(10, "test");
        buffer.Share().Dispose();
        Assert.Equal(1, pool.Outstanding);
        buffer.Dispose();
        Assert.Equal(0, pool.Outstanding);
        Assert.Throws<ObjectDisposedException>(buffer.Dispose);
        Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
        Assert.Throws<ObjectDisposedException>(buffer.Share);
    }

    [Fact]
    public void Return_AboveTheIdleBound_IsDropped()
    {
        var pool = new TensorBufferPool(maxIdleBytes: 2048);
        var buffers = Enumerable.Range(0, 5).Select(_ => pool.Rent(1024, "test")).ToList();
        buffers.ForEach(buffer => buffer.Dispose());
        Assert.Equal(2048, pool.IdleBytes);
    }

    [Fact]
    public void Leaks_RentedBuffers_AreNamedByPurposeInDebugBuilds()
    {
        var pool = new TensorBufferPool();
        using var buffer = pool.Rent(1, "here");
#if DEBUG
        Assert.Equal(["here: 1"], pool.Leaks());
#else
        Assert.Equal(["1 buffers (a debug build names them)"], pool.Leaks());
#endif
    }
}
