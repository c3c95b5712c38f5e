using CsCheck;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Transport.Flow;

public sealed class PositionSetTests
{
    [Fact]
    public void AddAndRemove_AnySequence_EqualsAPlainSet() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 40], Gen.Int[0, 12]).Array[0, 30].Sample(steps =>
        {
            var (set, model) = (new PositionSet(), new SortedSet<int>());
            foreach (var (add, start, count) in steps)
            {
                if (add)
                {
                    set.Add(start, start + count);
                    model.UnionWith(Enumerable.Range(start, count));
                }
                else
                {
                    set.Remove(start, start + count);
                    model.ExceptWith(Enumerable.Range(start, count));
                }

                Assert.Equal(model, set.Ranges.ToArray().SelectMany(range => Enumerable.Range(range.Start, range.Count)));
                for (var i = 1; i < set.Ranges.Length; i++)
                {
                    Assert.True(set.Ranges[i].Start > set.Ranges[i - 1].End);
                }

                Assert.Equal(model.Contains(start), set.Contains(start));
            }
        }, iter: 2000);

    [Fact]
    public void CopyCovering_MoreRangesThanRoom_CoversAllWithTheSmallestGaps()
    {
        var set = new PositionSet();
        foreach (var (start, end) in new[] { (0, 2), (3, 5), (10, 12), (13, 14), (30, 31) })
        {
            set.Add(start, end);
        }

        var target = new PositionRange[3];
        Assert.Equal(3, set.CopyCovering(target));
        Assert.Equal([new PositionRange(0, 5), new PositionRange(10, 14), new PositionRange(30, 31)], target);
    }
}
