namespace Parallax.Transport.Flow;

/// <summary>
/// The file behind a <see cref="JournalSpill"/>; one thread uses it. Members throw <see cref="IOException"/> or
/// <see cref="UnauthorizedAccessException"/> when the disk is full, broken or forbidden.
/// </summary>
internal interface ISpillFile : IDisposable
{
    /// <summary>Writes all of <paramref name="bytes"/>.</summary>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Fills all of <paramref name="target"/>; a file that ends before is an error.</summary>
    void Read(long offset, Span<byte> target);

    /// <summary>Empties the file.</summary>
    void Clear();
}
