namespace Parallax.Transport.Framing;

/// <summary>Where the rows of an opened run are to be written.</summary>
public readonly ref struct RunSpace
{
    internal RunSpace(Span<int> tokenIds, Span<byte> flags, Span<byte> payload)
    {
        TokenIds = tokenIds;
        Flags = flags;
        Payload = payload;
    }

    /// <summary>One id a row.</summary>
    public Span<int> TokenIds { get; }

    /// <summary>One byte of <see cref="RowFlags"/> a row; zero at first.</summary>
    public Span<byte> Flags { get; }

    /// <summary>Tensor bytes, [rows, row bytes].</summary>
    public Span<byte> Payload { get; }

    /// <summary>Sets the sample flag of rows whose position is at least <paramref name="sampleFrom"/>.</summary>
    public void FlagSamples(int firstPosition, int sampleFrom)
    {
        var skip = Math.Clamp((long)sampleFrom - firstPosition, 0, Flags.Length);
        Flags[(int)skip..].Fill((byte)RowFlags.Sample);
    }
}
