using Parallax.Transport.Buffers;
using Parallax.Transport.Links;

namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>
/// Scenario 14 of the session protocol: a prompt of 16 MB is on its way over a link of 100 Mbit/s. The queue is the links' own, the
/// wire is arithmetic: a frame takes its bytes / 12.5 MB/s.
/// </summary>
public sealed class LinkPriorityTests
{
    private const int FrameBytes = 256 * 1024;
    private const int PromptBytes = 16 * 1000 * 1000;
    private const double BytesPerSecond = 12.5e6;
    private const double Dead = 1.0; // seconds: four heartbeats

    private static readonly TensorBufferPool Pool = new();

    [Theory]
    [InlineData(FramePriority.Control)]
    [InlineData(FramePriority.Decode)]
    public void Send_PromptFillsTheLink_TokensAndDecodeRowsWaitForOneFrame(FramePriority priority) =>
        Assert.InRange(SecondsUntilSent(priority), 0, 2 * FrameBytes / BytesPerSecond);

    [Fact]
    public void Send_TokensWithThePriorityOfPrompts_WaitLongerThanAPeerMayBeSilent() =>
        Assert.InRange(SecondsUntilSent(FramePriority.Prefill), Dead, double.MaxValue);

    /// <summary>When a frame of a token is through that is queued while the first frame of the prompt is being written.</summary>
    private static double SecondsUntilSent(FramePriority priority)
    {
        var queue = new SendQueue(new LinkOptions { PrefillQueueBytes = 2 * PromptBytes, QueueFrames = 1024 });
        for (var bytes = 0; bytes < PromptBytes; bytes += FrameBytes)
        {
            Assert.Equal(SendResult.Queued, queue.TryEnqueue(Pool.Rent(FrameBytes, "test"), FramePriority.Prefill));
        }

        var seconds = Write(queue, out _);
        var token = Pool.Rent(128, "test");
        Assert.Equal(SendResult.Queued, queue.TryEnqueue(token, priority));
        while (true)
        {
            seconds += Write(queue, out var written);
            if (written == token)
            {
                queue.Clear();
                return seconds;
            }
        }
    }

    private static double Write(SendQueue queue, out TensorBuffer written)
    {
        Assert.True(queue.TryDequeue(out written));
        var seconds = written.Length / BytesPerSecond;
        written.Dispose();
        return seconds;
    }
}
