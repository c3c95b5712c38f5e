using Parallax.Transport.Buffers;
using Parallax.Transport.Links;

namespace Parallax.UnitTests.Transport.Links;

public sealed class SendQueueTests
{
    private static readonly TensorBufferPool Pool = new();

    [Fact]
    public void TryDequeue_QueuesFullOfPrefill_ControlAndDecodeOvertake()
    {
        var queue = new SendQueue(Options());
        Fill(queue, FramePriority.Prefill, 100);
        Fill(queue, FramePriority.Decode, 40);
        Fill(queue, FramePriority.Control, 10);

        var order = Drain(queue);

        Assert.Equal(Enumerable.Repeat(FramePriority.Control, 10), order[..10]);
        // 40 decode frames wait for at most one prefill frame in 16.
        Assert.Equal(40, order[10..53].Count(priority => priority == FramePriority.Decode));
        Assert.True(order[10..53].Count(priority => priority == FramePriority.Prefill) <= 3);
    }

    [Fact]
    public void TryDequeue_EndlessControlAndDecode_NothingStarves()
    {
        var queue = new SendQueue(Options());
        Fill(queue, FramePriority.Control, 2000);
        Fill(queue, FramePriority.Decode, 2000);
        Fill(queue, FramePriority.Prefill, 50);

        var order = Drain(queue);

        Assert.InRange(order.IndexOf(FramePriority.Decode), 1, SendQueue.ControlBurst);
        var prefill = order.IndexOf(FramePriority.Prefill);
        Assert.InRange(prefill, 1, (SendQueue.ControlBurst + 1) * (SendQueue.DecodeBurst + 1));
    }

    [Fact]
    public void TryEnqueue_BoundInFramesOrBytes_IsFullAndTheFrameStaysTheCallers()
    {
        var queue = new SendQueue(new LinkOptions { QueueFrames = 3, DecodeQueueBytes = 2500 });
        Fill(queue, FramePriority.Control, 3, 10);
        using var frame = Frame(10);
        Assert.Equal(SendResult.Full, queue.TryEnqueue(frame, FramePriority.Control));
        Fill(queue, FramePriority.Decode, 2, 1000);
        using var large = Frame(1000);
        Assert.Equal(SendResult.Full, queue.TryEnqueue(large, FramePriority.Decode));
        Assert.Equal(1000, large.Length);
        Assert.Equal((2, 2000), queue.Depth(FramePriority.Decode));
        Drain(queue);
    }

    [Fact]
    public async Task WaitForRoom_Full_CompletesWhenHalfIsFree()
    {
        var queue = new SendQueue(new LinkOptions { QueueFrames = 4 });
        Fill(queue, FramePriority.Decode, 4, 10);
        Assert.True(queue.WaitForRoomAsync(FramePriority.Decode, TestContext.Current.CancellationToken).IsCompleted); // nobody was refused yet
        using var frame = Frame(10);
        Assert.Equal(SendResult.Full, queue.TryEnqueue(frame, FramePriority.Decode));
        var room = queue.WaitForRoomAsync(FramePriority.Decode, TestContext.Current.CancellationToken);

        Take(queue);
        Assert.False(room.IsCompleted);
        Take(queue);

        await room;
        Drain(queue);
    }

    [Fact]
    public async Task Close_WritersAndWaiters_AreReleased()
    {
        var queue = new SendQueue(new LinkOptions { QueueFrames = 1 });
        var frames = queue.WaitForFrameAsync().AsTask();
        Fill(queue, FramePriority.Prefill, 1, 10);
        await frames;
        using var frame = Frame(10);
        Assert.Equal(SendResult.Full, queue.TryEnqueue(frame, FramePriority.Prefill));
        var room = queue.WaitForRoomAsync(FramePriority.Prefill, TestContext.Current.CancellationToken);

        queue.Clear();

        await room;
        await queue.WaitForFrameAsync();
        Assert.Equal(SendResult.NotConnected, queue.TryEnqueue(frame, FramePriority.Prefill));
        Assert.Equal((0, 0L), (queue.Frames, queue.Bytes));
    }

    [Fact]
    public void AbuseGuard_MoreThanTheThresholdInAWindow_RefusesForThePenalty()
    {
        var guard = new AbuseGuard(2, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30));
        var start = DateTimeOffset.UnixEpoch;
        Assert.False(guard.Count(start));
        Assert.False(guard.Count(start.AddSeconds(1)));
        Assert.False(guard.Count(start.AddSeconds(12))); // a new window
        Assert.False(guard.Count(start.AddSeconds(13)));
        Assert.True(guard.Count(start.AddSeconds(14)));
        Assert.True(guard.IsRefused(start.AddSeconds(43)));
        Assert.False(guard.IsRefused(start.AddSeconds(44)));
    }

    [Fact]
    public void Validate_BadOptions_NamesAllOfThem()
    {
        var errors = new LinkOptions { PeerId = "", QueueFrames = 0, PrefillQueueBytes = 5 }.Validate();
        Assert.Equal(4, errors.Count); // and the incarnation
    }

    private static LinkOptions Options() => new() { QueueFrames = 4000, PrefillQueueBytes = 64 << 20 };

    private static TensorBuffer Frame(int length) => Pool.Rent(length, "test");

    // The length names the priority.
    private static void Fill(SendQueue queue, FramePriority priority, int count, int? length = null)
    {
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(SendResult.Queued, queue.TryEnqueue(Frame(length ?? (int)priority + 1), priority));
        }
    }

    private static void Take(SendQueue queue)
    {
        Assert.True(queue.TryDequeue(out var frame));
        frame.Dispose();
    }

    private static List<FramePriority> Drain(SendQueue queue)
    {
        var order = new List<FramePriority>();
        while (queue.TryDequeue(out var frame))
        {
            order.Add((FramePriority)(frame.Length - 1));
            frame.Dispose();
        }

        return order;
    }
}
