using CsCheck;
using Parallax.Pipeline.Batching;
using Parallax.Testing;

namespace Parallax.UnitTests.Pipeline.Batching;

public class MicroBatchGateTests
{
    private const string Path = "next";

    private readonly MicroBatchGate _gate = new();

    [Theory]
    [InlineData(1, 8, 8, 8)]
    [InlineData(2, 8, 8, 4)]
    [InlineData(3, 8, 8, 3)]
    [InlineData(3, 8, 2, 2)]
    [InlineData(8, 3, 3, 1)]
    [InlineData(4, 0, 0, 0)]
    public void Allowance_NothingInFlight_IsTheShareOfAGroup(int microBatches, int decoding, int ready, int expected)
    {
        Assert.Equal(expected, _gate.Allowance(Path, microBatches, decoding, ready, Ms(0)));
    }

    [Fact]
    public void Allowance_AllPermitsTaken_IsZeroUntilAGroupReturns()
    {
        var first = Launch(4, at: 0);
        Launch(4, at: 1);
        Assert.Equal(0, Allowance(ready: 2, at: 5));

        _gate.Returned(Path, first, Ms(6));
        Assert.Equal(2, Allowance(ready: 2, at: 6));

        // The group's other tokens give back no second permit.
        _gate.Returned(Path, first, Ms(6));
        Launch(2, at: 6);
        Assert.Equal(0, Allowance(ready: 2, at: 6));
    }

    [Fact]
    public void Allowance_OtherPathFull_IsNotConcerned()
    {
        Launch(4, at: 0);
        Launch(4, at: 0);

        Assert.Equal(4, _gate.Allowance("other", 2, 8, 8, Ms(0)));
    }

    [Fact]
    public void Left_AllSessionsOfAGroup_GiveItsPermitBack()
    {
        var group = Launch(2, at: 0);
        Launch(4, at: 0);
        _gate.Left(Path, group);
        Assert.Equal(0, Allowance(ready: 1, at: 1));

        _gate.Left(Path, group);
        Assert.Equal(1, Allowance(ready: 1, at: 1));
        Assert.Null(_gate.RingTime(Path));
    }

    [Fact]
    public void Allowance_NothingMeasured_AGroupIsLateAfterASecond()
    {
        Launch(4, at: 0);
        Launch(4, at: 10);

        Assert.Equal(Ms(1000), _gate.NextDue(Path, Ms(0)));
        Assert.Equal(0, Allowance(ready: 1, at: 999));
        Assert.Equal(1, Allowance(ready: 1, at: 1000));
        Assert.Equal(Ms(1010), _gate.NextDue(Path, Ms(1000)));
        Assert.Equal(TimeSpan.MaxValue, _gate.NextDue(Path, Ms(1010)));
    }

    [Theory]
    [InlineData(2, 20)]
    [InlineData(50, 200)]
    public void Allowance_RingMeasured_AGroupIsLateAfterFourRingsAnd20Ms(int ring, int late)
    {
        _gate.Returned(Path, Launch(4, at: 0), Ms(ring));
        Launch(4, at: 1000);
        Launch(4, at: 1000);

        Assert.Equal(0, Allowance(ready: 1, at: 1000 + late - 1));
        Assert.Equal(1, Allowance(ready: 1, at: 1000 + late));
        Assert.Equal(Ms(1000 + late), _gate.NextDue(Path, Ms(1000)));
    }

    [Fact]
    public void Returned_LateGroup_IsMeasuredAllTheSame()
    {
        // A link has become 50 times slower: soon no group is late any more.
        _gate.Returned(Path, Launch(4, at: 0), Ms(2));
        var at = 0;
        for (var i = 0; i < 8; i++)
        {
            at += 1000;
            _gate.Returned(Path, Launch(4, at), Ms(at + 100));
        }

        Assert.InRange(_gate.RingTime(Path)!.Value, Ms(50), Ms(100));
        Launch(4, at: 10_000);
        Assert.Equal(1, _gate.InFlight(Path, Ms(10_101)));
    }

    [Fact]
    public void ReturnedAndLeft_UnknownGroupOrPath_ChangeNothing()
    {
        _gate.Returned(Path, 7, Ms(0));
        _gate.Left(Path, 7);
        Launch(4, at: 0);
        _gate.Returned(Path, 77, Ms(1));
        _gate.Left(Path, 77);

        Assert.Equal(1, _gate.InFlight(Path, Ms(1)));
        Assert.Null(_gate.RingTime(Path));
    }

    [Fact]
    public void Forget_Path_ItsGroupsAndTimesAreGone()
    {
        _gate.Returned(Path, Launch(4, at: 0), Ms(5));
        var group = Launch(4, at: 10);
        _gate.Forget(Path);
        _gate.Returned(Path, group, Ms(12));

        Assert.Equal((0, null), (_gate.InFlight(Path, Ms(12)), _gate.RingTime(Path)));
    }

    [Fact]
    public void Launch_NobodyEverReturns_MemoryIsBounded()
    {
        for (var i = 0; i < 100_000; i++)
        {
            Launch(1, at: 2000 * i);
        }

        Assert.Equal(1, _gate.InFlight(Path, Ms(2000L * 99_999)));
    }

    [Fact]
    public void SteadyState_AllocatesNothing()
    {
        var at = 0;
        Assert.Equal(0, Allocations.OfWarm(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                var first = Launch(4, at);
                var second = Launch(1, at);
                Allowance(ready: 4, at);
                at++;
                _gate.Returned(Path, first, Ms(at));
                _gate.Left(Path, second);
                _gate.NextDue(Path, Ms(at));
            }
        }));
    }

    [Fact]
    public void Random_FirstComeFirstServed_NobodyStarvesAndNoPermitLeaks()
    {
        // Sessions come, are launched in order of readiness, return, are evicted on their way or get lost for good (a
        // cut link); lost ones come again after a while.
        Gen.Select(Gen.Int[1, 8], Gen.Int[1, 40], Gen.Int[0, 20], Gen.Int[1, 1 << 30]).Sample(
            (microBatches, sessions, lossPercent, seed) =>
            {
                var gate = new MicroBatchGate();
                var random = new Random(seed);
                var ready = new Queue<(int Session, long Launches)>();
                var away = new List<(int Session, long Group, int Due, bool Lost)>();
                var launches = 0L;
                for (var i = 0; i < sessions; i++)
                {
                    ready.Enqueue((i, 0));
                }

                for (var now = 0; now < 30_000; now += random.Next(1, 8))
                {
                    foreach (var entry in away.Where(entry => entry.Due <= now).ToList())
                    {
                        away.Remove(entry);
                        ready.Enqueue((entry.Session, launches));
                        if (entry.Lost)
                        {
                            gate.Left(Path, entry.Group);
                        }
                        else
                        {
                            gate.Returned(Path, entry.Group, Ms(now));
                        }
                    }

                    while (gate.Allowance(Path, microBatches, sessions, ready.Count, Ms(now)) is var rows and > 0)
                    {
                        Assert.InRange(rows, 1, Math.Min(ready.Count, ((sessions - 1) / microBatches) + 1));
                        var group = gate.Launch(Path, rows, Ms(now));
                        launches++;
                        var ring = random.Next(5, 40);
                        for (var i = 0; i < rows; i++)
                        {
                            var (session, since) = ready.Dequeue();

                            // Before a session come those that were ready earlier, each in a group; a group may be of one.
                            Assert.InRange(launches - since, 1, sessions);
                            var lost = random.Next(100) < lossPercent;
                            away.Add((session, group, now + (lost ? 3000 : ring), lost));
                        }
                    }

                    // Whoever is ready waits for a permit only, and a permit comes back by itself.
                    Assert.True(ready.Count == 0 || gate.NextDue(Path, Ms(now)) <= Ms(now + 1000));
                }

                gate.Allowance(Path, 1, 1, 1, Ms(40_000));
                Assert.Equal(0, gate.InFlight(Path, Ms(40_000)));
            },
            iter: 60);
    }

    private static TimeSpan Ms(long milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private long Launch(int sessions, long at) => _gate.Launch(Path, sessions, Ms(at));

    private int Allowance(int ready, int at) => _gate.Allowance(Path, 2, 8, ready, Ms(at));
}
