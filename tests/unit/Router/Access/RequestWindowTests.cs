using CsCheck;
using Parallax.Router.Access.Quotas;

namespace Parallax.UnitTests.Router.Access;

public class RequestWindowTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 26, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Count_AMinuteLater_IsNone()
    {
        var window = new RequestWindow();
        window.Advance(Start.AddSeconds(0.9));
        window.Add();
        window.Advance(Start.AddSeconds(60.8)); // not yet 60 s
        Assert.Equal(1, window.Count);
        window.Advance(Start.AddSeconds(61));
        Assert.Equal(0, window.Count);
    }

    [Fact]
    public void Add_OfThePast_CountsAsLongAsItWouldHave()
    {
        var window = new RequestWindow();
        window.Advance(Start);
        window.Add(Start.AddSeconds(-30));
        window.Add(Start.AddSeconds(-90));
        window.Add(Start.AddSeconds(90)); // another machine's clock
        Assert.Equal(2, window.Count);
        Assert.Equal(TimeSpan.FromSeconds(31), window.UntilAtMost(1, Start));
        Assert.Equal(TimeSpan.FromSeconds(61), window.UntilAtMost(0, Start));
        Assert.Equal(TimeSpan.Zero, window.UntilAtMost(2, Start));
    }

    [Fact]
    public void Advance_ClockSetBackFar_BlocksNoLongerThanAMinute()
    {
        var window = new RequestWindow();
        window.Advance(Start);
        window.Add();
        window.Advance(Start.AddDays(-1));
        Assert.Equal(1, window.Count);
        window.Advance(Start.AddDays(-1).AddSeconds(61));
        Assert.Equal(0, window.Count);
    }

    /// <summary>However requests come, no 60 seconds hold more of them than were let in, and room comes when it was said to.</summary>
    [Fact]
    public void Window_AnyTimes_HoldsNoMoreThanItsLimit()
    {
        Gen.Select(Gen.Int[1, 5], Gen.Int[0, 40_000].Array[1, 80]).Sample(static (limit, pauses) =>
        {
            var window = new RequestWindow();
            var now = Start;
            var admitted = new List<DateTimeOffset>();
            foreach (var pause in pauses)
            {
                now = now.AddMilliseconds(pause);
                window.Advance(now);
                if (window.Count < limit)
                {
                    window.Add();
                    admitted.Add(now);
                }
                else
                {
                    var room = window.UntilAtMost(limit - 1, now);
                    Assert.InRange(room, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(61));
                    now += room;
                    window.Advance(now);
                    Assert.True(window.Count < limit);
                }
            }

            for (var i = limit; i < admitted.Count; i++)
            {
                Assert.True(admitted[i] - admitted[i - limit] >= TimeSpan.FromSeconds(60));
            }
        });
    }
}
