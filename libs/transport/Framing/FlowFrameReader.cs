using System.Buffers.Binary;

namespace Parallax.Transport.Framing;

/// <summary>
/// Walks the messages of a frame of type <see cref="FrameType.Flow"/>. A bad message is refused alone, unless its
/// length cannot be believed.
/// </summary>
public ref struct FlowFrameReader
{
    private readonly ReadOnlySpan<byte> _body;
    private readonly Span<PositionRange> _want;
    private int _left;
    private int _offset;
    private int _wanted;

    /// <summary>Opens a frame's body.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="header">Its header, read.</param>
    /// <param name="want">Room for <see cref="FrameLimits.MaxWantIntervals"/> intervals, written per message.</param>
    /// <exception cref="ArgumentException">The room is smaller.</exception>
    public FlowFrameReader(ReadOnlySpan<byte> frame, in FrameHeader header, Span<PositionRange> want)
    {
        if (want.Length < FrameLimits.MaxWantIntervals)
        {
            throw new ArgumentException($"Room for {FrameLimits.MaxWantIntervals} intervals is needed.", nameof(want));
        }

        _body = frame.Slice(header.HeaderLength, header.BodyLength);
        _want = want;
        _offset = 4;
        _left = _body.Length >= 4 ? BinaryPrimitives.ReadUInt16LittleEndian(_body) : -1;
    }

    /// <summary>The message at hand; valid when <see cref="Refusal"/> is None.</summary>
    public FlowMessage Current { get; private set; }

    /// <summary>Its wanted intervals, ascending; valid until the next call.</summary>
    public readonly ReadOnlySpan<PositionRange> Want => _want[.._wanted];

    /// <summary>Why the message at hand is refused.</summary>
    public FrameRefusal Refusal { get; private set; }

    /// <summary>Goes to the next message, good or refused; false at the end.</summary>
    public bool MoveNext()
    {
        Current = default;
        _wanted = 0;
        if (_left is < 0 or > FrameLimits.MaxFlowMessages)
        {
            return RefuseRest(FrameRefusal.BadBody);
        }

        if (_left == 0)
        {
            Refusal = FrameRefusal.None;
            return _offset >= 0 && _offset < _body.Length && RefuseRest(FrameRefusal.BadBody);
        }

        _left--;
        var rest = _body[_offset..];
        if (rest.Length < FlowMessage.HeadSize)
        {
            return RefuseRest(FrameRefusal.BadLength);
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(rest);
        if (length < FlowMessage.HeadSize || length > rest.Length || length % 4 != 0)
        {
            return RefuseRest(FrameRefusal.BadLength);
        }

        Refusal = FlowMessage.Read(rest[..length], _want, out var message, out _wanted);
        Current = message;
        _offset += length;
        return true;
    }

    private bool RefuseRest(FrameRefusal refusal)
    {
        _left = 0;
        _offset = -1;
        Refusal = refusal;
        return true;
    }
}
