using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Parallax.Transport.Buffers;

namespace Parallax.Transport.Framing;

/// <summary>
/// Fills a pooled frame with row runs, in place: what the link sends is the buffer written here. Not thread-safe.
/// <see cref="Complete"/> hands the frame out and the builder starts a new one at the next call.
/// </summary>
public sealed class RowFrameBuilder : IDisposable
{
    private const int BodyStart = FrameHeader.Size + 4;

    private readonly TensorBufferPool _pool;
    private readonly int _maxBytes;
    private TensorBuffer? _buffer;
    private int _used;

    /// <summary>A builder of frames of at most <paramref name="maxFrameBytes"/> bytes.</summary>
    public RowFrameBuilder(TensorBufferPool pool, int maxFrameBytes = FrameLimits.MaxFrameBytes)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxFrameBytes, BodyStart + RowRun.HeadSize + 16);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxFrameBytes, FrameLimits.MaxFrameBytes);
        _pool = pool;
        _maxBytes = maxFrameBytes;
    }

    /// <summary>Runs in the frame so far.</summary>
    public int Runs { get; private set; }

    /// <summary>Rows in the frame so far.</summary>
    public int Rows { get; private set; }

    /// <summary>
    /// Opens a run with as many of <paramref name="run"/>'s rows as fit and gives the places to write ids, flags and
    /// tensor bytes into (all to be written in full). The caller splits a longer run: Complete, then append the rest.
    /// </summary>
    /// <returns>The rows taken, 0 when the frame has no room for one.</returns>
    /// <exception cref="ArgumentException">The run is not a valid one, or one row alone is above the frame's bound.</exception>
    public int Append(in RowRun run, out RunSpace space)
    {
        space = default;
        var refusal = run.Check();
        if (refusal != FrameRefusal.None)
        {
            throw new ArgumentException($"The run cannot be sent: {refusal} ({run}).", nameof(run));
        }

        var rowBytes = run.RowBytes;
        if (RowRun.RowsThatFit(_maxBytes - BodyStart, rowBytes) == 0)
        {
            throw new ArgumentException(
                $"One row of {rowBytes} bytes does not fit a frame of {_maxBytes} bytes.", nameof(run));
        }

        var start = Runs == 0 ? BodyStart : _used;
        var rows = Runs >= FrameLimits.MaxRuns
            ? 0
            : Math.Min(run.Count, RowRun.RowsThatFit(_maxBytes - start, rowBytes));
        if (rows == 0)
        {
            return 0;
        }

        var length = (int)RowRun.WireBytes(rowBytes, rows);
        Reserve(start + length);
        var taken = run with { Count = rows };
        var bytes = _buffer!.FullSpan.Slice(start, length);
        taken.Write(bytes);
        var body = bytes[RowRun.HeadSize..];
        var (ids, flags) = (rows * 4, (int)RowRun.Align4(rows));
        body.Slice(ids, flags).Clear();
        body[(ids + flags + (rows * rowBytes))..].Clear();
        space = new RunSpace(
            MemoryMarshal.Cast<byte, int>(body[..ids]),
            body.Slice(ids, rows),
            body.Slice(ids + flags, rows * rowBytes));
        _used = start + length;
        Runs++;
        Rows += rows;
        return rows;
    }

    /// <summary>
    /// Copies rows in: as many as fit of ids [count] and payload [count, row bytes]; rows from
    /// <paramref name="sampleFrom"/> on carry the sample flag.
    /// </summary>
    /// <returns>The rows taken.</returns>
    public int Append(in RowRun run, ReadOnlySpan<int> tokenIds, int sampleFrom, ReadOnlySpan<byte> payload)
    {
        if (tokenIds.Length != run.Count || payload.Length != (long)run.Count * run.RowBytes)
        {
            throw new ArgumentException(
                $"A run of {run.Count} rows of {run.RowBytes} bytes came with {tokenIds.Length} ids and {payload.Length} bytes.",
                nameof(payload));
        }

        var rows = Append(run, out var space);
        tokenIds[..rows].CopyTo(space.TokenIds);
        payload[..space.Payload.Length].CopyTo(space.Payload);
        space.FlagSamples(run.First, sampleFrom);
        return rows;
    }

    /// <summary>Hands out the frame, unsealed (the link numbers and checks it as it sends), or null when it has no run.</summary>
    public TensorBuffer? Complete(in TraceContext trace = default)
    {
        if (Runs == 0)
        {
            return null;
        }

        var frame = _buffer!;
        frame.Length = _used;
        FrameHeader.Write(frame.Span, FrameType.Rows, trace);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.Span[FrameHeader.Size..], (ushort)Runs);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.Span[(FrameHeader.Size + 2)..], 0);
        _buffer = null;
        Clear();
        return frame;
    }

    /// <summary>Drops what was appended.</summary>
    public void Dispose()
    {
        _buffer?.Dispose();
        _buffer = null;
        Clear();
    }

    private void Clear()
    {
        Runs = 0;
        Rows = 0;
        _used = 0;
    }

    private void Reserve(int bytes)
    {
        if (_buffer is null)
        {
            _buffer = _pool.Rent(bytes, "row frame");
            _used = BodyStart;
            return;
        }

        if (_buffer.Capacity >= bytes)
        {
            return;
        }

        // Doubling, so that a frame of many runs copies each byte about once.
        var larger = _pool.Rent(Math.Min(TensorBufferPool.MaxLength, Math.Max(bytes, _buffer.Capacity * 2)), "row frame");
        _buffer.FullSpan[.._used].CopyTo(larger.FullSpan);
        _buffer.Dispose();
        _buffer = larger;
    }
}
