using CsCheck;
using Parallax.KvIndex.Index;

namespace Parallax.UnitTests.KvIndex;

public sealed class BlockTableTests
{
    [Fact]
    public void RandomOperations_AreThoseOfLists()
    {
        // Few keys in a small table: clusters, wrapping around the end, and moves on removal.
        Gen.Select(Gen.ULong, Gen.Int[1, 24], Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2], Gen.ULong[0, 15]).Array[0, 200]).Sample(
            (seed, capacity, operations) =>
            {
                var table = new BlockTable(capacity, seed);
                var model = new List<ulong>[] { [], [], [] };
                foreach (var (kind, holder, hash) in operations)
                {
                    var isHeld = model[holder].Contains(hash);
                    Assert.Equal(isHeld, table.Contains(holder, hash));
                    switch (kind)
                    {
                        case 0 or 1 when isHeld || table.Count < capacity:
                            Assert.Equal(!isHeld, table.Add(holder, hash));
                            if (!isHeld)
                            {
                                model[holder].Add(hash);
                            }

                            break;
                        case 2:
                            Assert.Equal(model[holder].Remove(hash), table.Remove(holder, hash));
                            break;
                        case 3:
                            Assert.Equal(Math.Min(2, model[holder].Count), table.RemoveOldest(holder, 2));
                            model[holder].RemoveRange(0, Math.Min(2, model[holder].Count));
                            break;
                    }

                    table.CheckInvariants();
                    Assert.Equal(model.Sum(static list => list.Count), table.Count);
                }
            },
            iter: 500);
    }

    [Fact]
    public void Pairs_WhenFull_TakeLessThan32Bytes() => Assert.InRange(new BlockTable(1 << 16, 0).Bytes / (double)(1 << 16), 1, 32);

    [Fact]
    public void Add_WithoutRoom_IsABug()
    {
        var table = new BlockTable(1, 7);
        Assert.True(table.Add(0, 1));
        Assert.False(table.Add(0, 1));
        Assert.Throws<InvalidOperationException>(() => table.Add(1, 1));
    }
}
