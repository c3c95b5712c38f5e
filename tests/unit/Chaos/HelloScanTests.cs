using Parallax.Cli.Chaos.Network;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Chaos;

public sealed class HelloScanTests
{
    [Fact]
    public void Find_HelloAmongOtherBytes_GivesItsId()
    {
        byte[] bytes = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nPLXF"u8, .. Hello("w1a"), .. Hello("other")];
        Assert.Equal("w1a", HelloScan.Find(bytes));
    }

    [Fact]
    public void Find_PartOfAHello_WaitsForTheRest()
    {
        byte[] bytes = [.. new byte[100], .. Hello("w1a")];
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Null(HelloScan.Find(bytes.AsSpan(0, length)));
        }

        Assert.Equal("w1a", HelloScan.Find(bytes));
    }

    [Fact]
    public void Find_OtherFrames_AreNoHello()
    {
        using var heartbeat = new HeartbeatFrame(IsAnswer: false, 1, 2, 3).ToFrame(TensorBufferPool.Shared);
        Assert.Null(HelloScan.Find(heartbeat.Span));
    }

    private static byte[] Hello(string id)
    {
        using var frame = HelloFrame.Create(id, incarnation: 7).ToFrame(TensorBufferPool.Shared);
        FrameHeader.Seal(frame.Span, 1);
        return frame.Span.ToArray();
    }
}
