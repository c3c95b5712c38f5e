using Parallax.Router.Sessions;

namespace Parallax.UnitTests.Router.Sessions;

public class ArrivalClockTests
{
    [Fact]
    public void Next_WhateverTheWallClockDoes_Rises()
    {
        var clock = new ArrivalClock();
        var noon = DateTimeOffset.UnixEpoch.AddHours(12);

        Assert.Equal(12L * 3600 * 1_000_000, clock.Next(noon));
        Assert.Equal((12L * 3600 * 1_000_000) + 1, clock.Next(noon));
        Assert.Equal((12L * 3600 * 1_000_000) + 2, clock.Next(noon.AddHours(-1)));
        Assert.Equal(13L * 3600 * 1_000_000, clock.Next(noon.AddHours(1)));
    }

    [Fact]
    public void Next_FromManyThreads_IsNeverTheSame()
    {
        var clock = new ArrivalClock();
        var drawn = new long[10_000];

        Parallel.For(0, drawn.Length, i => drawn[i] = clock.Next(DateTimeOffset.UnixEpoch));

        Assert.Equal(drawn.Length, drawn.Distinct().Count());
    }
}
