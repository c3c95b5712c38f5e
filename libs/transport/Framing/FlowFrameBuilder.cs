using System.Buffers.Binary;
using Parallax.Transport.Buffers;

namespace Parallax.Transport.Framing;

/// <summary>Gathers flow messages into one pooled frame. Not thread-safe.</summary>
public sealed class FlowFrameBuilder : IDisposable
{
    private const int BodyStart = FrameHeader.Size + 4;
    private const int MaxBytes = 64 * 1024;

    private readonly TensorBufferPool _pool;
    private TensorBuffer? _buffer;
    private int _used;

    /// <summary>A builder that rents from <paramref name="pool"/>.</summary>
    public FlowFrameBuilder(TensorBufferPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        _pool = pool;
    }

    /// <summary>Messages in the frame so far.</summary>
    public int Messages { get; private set; }

    /// <summary>Adds a message; false when the frame is full: complete it and append again.</summary>
    /// <exception cref="ArgumentException">Too many intervals, or intervals with a message that is no State.</exception>
    public bool Append(in FlowMessage message, ReadOnlySpan<PositionRange> want = default)
    {
        if (want.Length > FrameLimits.MaxWantIntervals || (want.Length > 0 && message.Kind != FlowMessageKind.State))
        {
            throw new ArgumentException($"{message.Kind} cannot carry {want.Length} wanted intervals.", nameof(want));
        }

        var start = Messages == 0 ? BodyStart : _used;
        var end = start + FlowMessage.WireBytes(want.Length);
        if (Messages >= FrameLimits.MaxFlowMessages || end > MaxBytes)
        {
            return false;
        }

        if (_buffer is null || _buffer.Capacity < end)
        {
            var larger = _pool.Rent(end, "flow frame");
            if (_buffer is not null)
            {
                _buffer.FullSpan[..start].CopyTo(larger.FullSpan);
                _buffer.Dispose();
            }

            _buffer = larger;
        }

        message.Write(_buffer.FullSpan[start..end], want);
        _used = end;
        Messages++;
        return true;
    }

    /// <summary>Hands out the frame, unsealed, or null when it has no message.</summary>
    public TensorBuffer? Complete(in TraceContext trace = default)
    {
        if (Messages == 0)
        {
            return null;
        }

        var frame = _buffer!;
        frame.Length = _used;
        FrameHeader.Write(frame.Span, FrameType.Flow, trace);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.Span[FrameHeader.Size..], (ushort)Messages);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.Span[(FrameHeader.Size + 2)..], 0);
        _buffer = null;
        Messages = 0;
        return frame;
    }

    /// <summary>Drops what was appended.</summary>
    public void Dispose()
    {
        _buffer?.Dispose();
        _buffer = null;
        Messages = 0;
    }
}
