using CsCheck;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.UnitTests.Worker;

public class MemoryLedgerTests
{
    [Fact]
    public void TryReserve_MoreThanIsFree_IsRefusedWithWhatIsFree()
    {
        var ledger = new MemoryLedger(100);

        Assert.True(ledger.TryReserve(60, out _));
        Assert.False(ledger.TryReserve(41, out var free));
        Assert.Equal(40, free);
        Assert.True(ledger.TryReserve(40, out _));
        ledger.Release(60);
        Assert.Equal((40, 100), (ledger.Used, ledger.Limit));
    }

    [Fact]
    public void Limit_NotNamed_IsFourFifthsOfWhatTheProcessMayUse() =>
        Assert.InRange(new MemoryLedger().Limit, 1, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * 8 / 10);

    [Fact]
    public void Reservations_AnyOrder_NeverExceedTheLimitAndComeBack() =>
        Gen.Long[0, 60].Array[1, 40].Sample(sizes =>
        {
            var ledger = new MemoryLedger(100);
            var held = new Queue<long>();
            foreach (var size in sizes)
            {
                if (ledger.TryReserve(size, out _))
                {
                    held.Enqueue(size);
                }
                else
                {
                    Assert.True(held.Sum() + size > 100);
                    ledger.Release(held.Dequeue());
                }

                Assert.Equal(held.Sum(), ledger.Used);
                Assert.InRange(ledger.Used, 0, 100);
            }
        });
}
