using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.Pipeline.Stages;

/// <summary>
/// Rows of one session that were accepted and wait to be computed, in order, in the frames that brought them. Their
/// memory is what the link lets its receiver hold. Owned by one loop.
/// </summary>
internal sealed class RowInbox
{
    private readonly Queue<Run> _runs = new();
    private int _taken; // rows of the first run that are gone

    /// <summary>Rows that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Position of the first row that waits.</summary>
    public int First => _runs.Peek().First + _taken;

    /// <summary>Consecutive positions that wait from <see cref="First"/> on, as one run.</summary>
    public int FirstRun => _runs.TryPeek(out var run) ? run.Count - _taken : 0;

    /// <summary>Keeps rows of a frame, as one more of its owners.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="payload">The rows' bytes, inside the frame.</param>
    /// <param name="first">Position of the first.</param>
    /// <param name="count">How many.</param>
    public void Add(TensorBuffer frame, ReadOnlySpan<byte> payload, int first, int count)
    {
        if (!frame.Span.Overlaps(payload, out var offset))
        {
            throw new ArgumentException("the rows are not in the frame", nameof(payload));
        }

        _runs.Enqueue(new Run(frame.Share(), offset, payload.Length / count, first, count));
        Count += count;
    }

    /// <summary>Takes the first <paramref name="count"/> rows as f32.</summary>
    /// <param name="count">At most <see cref="Count"/>.</param>
    /// <param name="width">Elements of a row.</param>
    /// <param name="type">Their form in the frames.</param>
    /// <param name="values">[count, width].</param>
    public void Take(int count, int width, TensorType type, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count);
        Count -= count;
        while (count > 0)
        {
            var run = _runs.Peek();
            var rows = Math.Min(count, run.Count - _taken);
            RowCodec.Decode(
                run.Frame.Span.Slice(run.Offset + (_taken * run.RowBytes), rows * run.RowBytes), width, type, values[..(rows * width)]);
            values = values[(rows * width)..];
            count -= rows;
            _taken += rows;
            if (_taken == run.Count)
            {
                _runs.Dequeue().Frame.Dispose();
                _taken = 0;
            }
        }
    }

    /// <summary>Drops all.</summary>
    public void Clear()
    {
        while (_runs.TryDequeue(out var run))
        {
            run.Frame.Dispose();
        }

        _taken = 0;
        Count = 0;
    }

    private readonly record struct Run(TensorBuffer Frame, int Offset, int RowBytes, int First, int Count);
}
