using System.Buffers.Binary;

namespace Parallax.Transport.Framing;

/// <summary>
/// Walks the runs of a frame of type <see cref="FrameType.Rows"/> whose header was read. A bad run is refused alone:
/// <see cref="Refusal"/> says why and the next call goes on behind it, unless its length cannot be believed.
/// </summary>
public ref struct RowFrameReader
{
    private readonly ReadOnlySpan<byte> _body;
    private int _left;
    private int _offset;

    /// <summary>Opens a frame's body; a body too short for its own count ends after one <see cref="FrameRefusal.BadBody"/>.</summary>
    public RowFrameReader(ReadOnlySpan<byte> frame, in FrameHeader header)
    {
        _body = frame.Slice(header.HeaderLength, header.BodyLength);
        _offset = 4;
        _left = -1;
        if (_body.Length >= 4)
        {
            _left = BinaryPrimitives.ReadUInt16LittleEndian(_body);
        }
    }

    /// <summary>The run at hand; valid when <see cref="Refusal"/> is None.</summary>
    public RowRunView Current { get; private set; }

    /// <summary>Why the run at hand is refused.</summary>
    public FrameRefusal Refusal { get; private set; }

    /// <summary>Goes to the next run, good or refused; false at the end.</summary>
    public bool MoveNext()
    {
        Current = default;
        if (_left is < 0 or > FrameLimits.MaxRuns)
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
        if (rest.Length < RowRun.HeadSize)
        {
            return RefuseRest(FrameRefusal.BadLength);
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        if (length < RowRun.HeadSize || length > rest.Length || length % 4 != 0)
        {
            return RefuseRest(FrameRefusal.BadLength);
        }

        Refusal = RowRun.Read(rest[..length], out var view);
        Current = view;
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
