using CsCheck;
using Parallax.Runtime.Blocks;
using Parallax.Testing.Blocks;

namespace Parallax.UnitTests.Blocks;

public sealed class WritePacingTests
{
    private const int Part = 10_000;

    private static readonly BlockExchangeOptions Options = new() { Exchange = new MemoryExchange(), WriteBytesPerSecond = 10_000_000, WriteShare = 0.01 };

    /// <summary>Whatever steps take and however fast copying is: what is copied after steps takes its share of their time at most, but for one part.</summary>
    [Fact]
    public void AfterStep_AnySteps_TakesNoMoreThanItsShare() =>
        Gen.Select(Gen.Int[1, 400].Array[1, 200], Gen.Double[50e6, 5e9]).Sample((steps, speed) =>
        {
            var pacing = new WritePacing(Options with { WriteBytesPerSecond = long.MaxValue / 4 }, Part);
            var now = TimeSpan.Zero;
            var (stepping, copying, fastest) = (0.0, 0.0, Math.Max(speed, 200e6));
            foreach (var step in steps)
            {
                var took = TimeSpan.FromMilliseconds(step / 4.0);
                now += took;
                stepping += took.TotalSeconds;
                var allowed = pacing.AfterStep(now, took, isDraining: false);
                var time = allowed / speed;
                copying += time;
                pacing.Copied(allowed, TimeSpan.FromSeconds(time));
                now += TimeSpan.FromSeconds(time);
            }

            // Until its speed has been measured it is taken for 200 MB/s.
            var slowness = fastest / speed;
            Assert.True(copying <= (0.0101 * stepping * slowness) + (Part / speed), $"{copying} s of {stepping} s");
        });

    [Fact]
    public void AtIdle_Rate_IsKept()
    {
        var pacing = new WritePacing(Options, Part);
        var (now, copied) = (TimeSpan.Zero, 0L);
        while (now < TimeSpan.FromSeconds(2))
        {
            var allowed = pacing.AtIdle(now, hasSessions: false, isDraining: false);
            if (allowed == 0)
            {
                var due = pacing.NextDue(now, isDraining: false);
                Assert.True(due > now);
                now = due + TimeSpan.FromTicks(1);
                continue;
            }

            pacing.Copied(allowed, TimeSpan.FromSeconds(allowed / 1e9));
            copied += allowed;
        }

        // Two seconds' worth, and what may come in one burst.
        Assert.InRange(copied, 19_000_000, 21_000_000);
    }

    [Fact]
    public void AtIdle_Draining_GoesPastTheRate()
    {
        var pacing = new WritePacing(Options, Part);
        var copied = 0L;
        for (var i = 0; i < 1000; i++)
        {
            var allowed = pacing.AtIdle(TimeSpan.Zero, hasSessions: false, isDraining: true);
            Assert.True(allowed >= Part);
            pacing.Copied(allowed, TimeSpan.FromSeconds(allowed / 1e9));
            copied += allowed;
        }

        Assert.True(copied > 100_000_000);
    }

    [Fact]
    public void AtIdle_SessionsThatWaitForRows_AreDelayedByOnePartOrTheShareOfAStep()
    {
        var pacing = new WritePacing(Options, Part);
        Assert.Equal(Part, pacing.AtIdle(TimeSpan.Zero, hasSessions: true, isDraining: false));
        pacing.AfterStep(TimeSpan.Zero, TimeSpan.FromMilliseconds(20), isDraining: false);
        Assert.Equal(40_000, pacing.AtIdle(TimeSpan.Zero, hasSessions: true, isDraining: false)); // 1 % of 20 ms at 200 MB/s
    }
}
