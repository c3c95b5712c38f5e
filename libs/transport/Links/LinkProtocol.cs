using System.Buffers;
using Grpc.Core;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Links;

/// <summary>
/// The two gRPC methods of a link. Messages are frames as they are, without protobuf: a pooled buffer is written into the
/// stack's own writer, and what arrives is copied out of its buffers into a pooled one, once.
/// </summary>
internal sealed class LinkProtocol
{
    public const string ServiceName = "parallax.transport.v1.Links";

    private readonly TensorBufferPool _pool;

    public LinkProtocol(TensorBufferPool pool)
    {
        _pool = pool;
        var marshaller = new Marshaller<TensorBuffer>(Serialize, Deserialize);
        Frames = new Method<TensorBuffer, TensorBuffer>(
            MethodType.DuplexStreaming, ServiceName, "Frames", marshaller, marshaller);
        Heartbeats = new Method<TensorBuffer, TensorBuffer>(
            MethodType.DuplexStreaming, ServiceName, "Heartbeats", marshaller, marshaller);
    }

    /// <summary>Hello, then frames, in both directions.</summary>
    public Method<TensorBuffer, TensorBuffer> Frames { get; }

    /// <summary>Hello, then heartbeats, in both directions, on a connection of their own.</summary>
    public Method<TensorBuffer, TensorBuffer> Heartbeats { get; }

    // The caller keeps the buffer: serialising is done when WriteAsync returns its task.
    private static void Serialize(TensorBuffer frame, SerializationContext context)
    {
        context.SetPayloadLength(frame.Length);
        context.GetBufferWriter().Write(frame.Span);
        context.Complete();
    }

    private TensorBuffer Deserialize(DeserializationContext context)
    {
        // The stack refuses messages above MaxReceiveMessageSize, the bound of a frame, before it gets here.
        if (context.PayloadLength > FrameLimits.MaxFrameBytes)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"A frame of {context.PayloadLength} bytes is above the bound of {FrameLimits.MaxFrameBytes}."));
        }

        var frame = _pool.Rent(context.PayloadLength, "received frame");
        context.PayloadAsReadOnlySequence().CopyTo(frame.Span);
        return frame;
    }
}
