using Parallax.KvBlocks.Buffers;

namespace Parallax.KvClient;

/// <summary>Parts that were fetched, each checked against its checksum. Disposing gives their memory back.</summary>
public sealed class FetchedParts : IDisposable
{
    private readonly PartBuffer?[] _parts;
    private readonly uint[] _checksums;
    private int _isDisposed;

    internal FetchedParts(int count) => (_parts, _checksums) = (new PartBuffer?[count], new uint[count]);

    /// <summary>Addresses that were asked for.</summary>
    public int Count => _parts.Length;

    /// <summary>Parts that are here.</summary>
    public int Found => _parts.Count(static part => part is not null);

    /// <summary>The bytes of the part of an address, by its place in the request; null when it was missed.</summary>
    public ReadOnlyMemory<byte>? this[int place] => _parts[place]?.Memory;

    /// <summary>CRC-32C of the part of an address, as whoever put it said.</summary>
    public uint ChecksumOf(int place) => _checksums[place];

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            foreach (var part in _parts)
            {
                part?.Dispose();
            }
        }
    }

    /// <summary>Takes a part; each place is filled by one call at a time.</summary>
    internal void Set(int place, PartBuffer part, uint checksum) => (_parts[place], _checksums[place]) = (part, checksum);

    internal bool IsMissing(int place) => _parts[place] is null;
}
