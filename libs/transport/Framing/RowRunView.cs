namespace Parallax.Transport.Framing;

/// <summary>A run inside a received frame; its spans point into the frame's buffer and live as long as it does.</summary>
public readonly ref struct RowRunView
{
    internal RowRunView(RowRun head, ReadOnlySpan<int> tokenIds, ReadOnlySpan<byte> flags, ReadOnlySpan<byte> payload)
    {
        Head = head;
        TokenIds = tokenIds;
        Flags = flags;
        Payload = payload;
    }

    /// <summary>Session, epoch, kind, positions, payload layout.</summary>
    public RowRun Head { get; }

    /// <summary>One id a row. The link assumes a little-endian machine (asserted at start).</summary>
    public ReadOnlySpan<int> TokenIds { get; }

    /// <summary>One byte of <see cref="RowFlags"/> a row.</summary>
    public ReadOnlySpan<byte> Flags { get; }

    /// <summary>Raw tensor bytes, [count, <see cref="RowRun.RowBytes"/>].</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>The payload of row <paramref name="index"/>, counted from the run's first.</summary>
    public ReadOnlySpan<byte> Row(int index) => Payload.Slice(index * Head.RowBytes, Head.RowBytes);

    /// <summary>Whether the tail samples from row <paramref name="index"/>.</summary>
    public bool Samples(int index) => (Flags[index] & (byte)RowFlags.Sample) != 0;
}
