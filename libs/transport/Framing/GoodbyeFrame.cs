using Parallax.Transport.Buffers;

namespace Parallax.Transport.Framing;

/// <summary>The last frame of a drained direction; no body.</summary>
internal static class GoodbyeFrame
{
    public static TensorBuffer Create(TensorBufferPool pool)
    {
        var frame = pool.Rent(FrameHeader.Size, "goodbye frame");
        FrameHeader.Write(frame.Span, FrameType.Goodbye, default);
        return frame;
    }
}
