using Parallax.Testing.Network;

namespace Parallax.UnitTests.Network;

/// <summary>The link that benchmarks and tests put between stages.</summary>
public sealed class DelayLineTests
{
    [Fact]
    public void TryTake_BeforeTheDelayIsOver_GivesNothing()
    {
        var line = new DelayLine { Shape = new LinkShape(Milliseconds(50)) };
        line.Add([1, 2, 3], Milliseconds(10));

        Assert.False(line.TryTake(Milliseconds(59.9), out _));
        Assert.Equal(Milliseconds(60), line.NextDue);
        Assert.True(line.TryTake(Milliseconds(60), out var bytes));
        Assert.Equal([1, 2, 3], bytes);
        Assert.Equal((0, null), (line.Bytes, line.NextDue));
    }

    [Fact]
    public void Add_AtARate_ChunksLeaveOneAfterTheOther()
    {
        var line = new DelayLine { Shape = new LinkShape(Milliseconds(5), BytesPerSecond: 1000) };
        line.Add(new byte[10], Milliseconds(0)); // 10 ms of line time
        line.Add(new byte[20], Milliseconds(1)); // waits for the first
        line.Add(new byte[10], Milliseconds(100)); // finds the line free

        Assert.Equal([15, 35, 115], Dues(line));
    }

    [Fact]
    public void Add_AfterTheDelayBecameShorter_OvertakesNothing()
    {
        var line = new DelayLine { Shape = new LinkShape(Milliseconds(50)) };
        line.Add([1], Milliseconds(0));
        line.Shape = LinkShape.None;
        line.Add([2], Milliseconds(1));

        Assert.Equal([50, 50], Dues(line));
    }

    [Fact]
    public void HasRoom_BytesOfDelayAndQueueInside_IsFull()
    {
        var line = new DelayLine { Shape = new LinkShape(Milliseconds(80), BytesPerSecond: 10_000_000) };
        Assert.Equal(1_000_000, line.Shape.Room); // 80 ms on the way, 20 ms in the queue
        line.Add(new byte[999_999], Milliseconds(0));
        Assert.True(line.HasRoom);
        line.Add([1], Milliseconds(0));

        Assert.False(line.HasRoom);
        Assert.True(line.TryTake(Milliseconds(1000), out _));
        Assert.True(line.HasRoom);
    }

    private static TimeSpan Milliseconds(double value) => TimeSpan.FromMilliseconds(value);

    private static List<double> Dues(DelayLine line)
    {
        var dues = new List<double>();
        while (line.NextDue is { } due)
        {
            dues.Add(due.TotalMilliseconds);
            Assert.True(line.TryTake(due, out _));
        }

        return dues;
    }
}
