using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.IntegrationTests.Transport;

/// <summary>A gRPC client that speaks to a hub in another minor version: bytes out, bytes in, no link behind it.</summary>
internal sealed class RawStream : IDisposable
{
    public const string PeerId = "x";
    public const long Incarnation = 5;

    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<TensorBuffer, TensorBuffer> _call;
    private readonly FrameDialect _dialect;

    private RawStream(Uri address, FrameDialect dialect, bool heartbeats)
    {
        _dialect = dialect;
        _channel = GrpcChannel.ForAddress(address);
        var protocol = new LinkProtocol(TensorBufferPool.Shared);
        _call = _channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            heartbeats ? protocol.Heartbeats : protocol.Frames, null, new CallOptions());
    }

    /// <summary>Opens the stream and exchanges Hello.</summary>
    public static async Task<RawStream> GreetAsync(Uri address, FrameDialect dialect, bool heartbeats = false)
    {
        var stream = new RawStream(address, dialect, heartbeats);
        await stream.SendAsync(HelloFrame.Create(PeerId, Incarnation).ToFrame(TensorBufferPool.Shared));
        Assert.Equal((byte)FrameType.Hello, (await stream.ReceiveAsync())[6]);
        return stream;
    }

    /// <summary>Sends a frame, which it takes, in the dialect.</summary>
    public async Task SendAsync(TensorBuffer frame)
    {
        using (frame)
        {
            await SendBytesAsync(_dialect.Write(frame));
        }
    }

    public async Task SendBytesAsync(byte[] frame)
    {
        using var buffer = TensorBufferPool.Shared.Rent(frame.Length, "raw frame");
        frame.CopyTo(buffer.Span);
        await _call.RequestStream.WriteAsync(buffer, TestContext.Current.CancellationToken);
    }

    public async Task<byte[]> ReceiveAsync()
    {
        Assert.True(await _call.ResponseStream.MoveNext(TestContext.Current.CancellationToken), "the stream ended");
        using var frame = _call.ResponseStream.Current;
        return frame.Span.ToArray();
    }

    public void Dispose()
    {
        _call.Dispose();
        _channel.Dispose();
    }
}
