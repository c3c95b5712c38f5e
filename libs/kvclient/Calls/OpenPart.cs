namespace Parallax.KvClient.Calls;

/// <summary>A part's bytes while they are sent.</summary>
/// <param name="Bytes">The bytes.</param>
/// <param name="Checksum">Their CRC-32C as whoever made them said; null: to be computed.</param>
/// <param name="Owner">Disposed when they are sent; null for nobody.</param>
internal sealed record OpenPart(ReadOnlyMemory<byte> Bytes, uint? Checksum, IDisposable? Owner) : IDisposable
{
    public void Dispose() => Owner?.Dispose();
}
