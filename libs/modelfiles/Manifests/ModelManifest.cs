using System.Collections.Immutable;
using System.Security.Cryptography;
using Parallax.Contracts.Identifiers;

namespace Parallax.ModelFiles.Manifests;

/// <summary>
/// A model's files: their lengths, the SHA-256 of every chunk, and which bytes each layer needs. Made from files
/// (<see cref="ManifestBuilder"/>) or read and checked from bytes (<see cref="ManifestReader"/>). Immutable.
/// </summary>
public sealed class ModelManifest
{
    private readonly ImmutableArray<ReadOnlyMemory<byte>> _hashes;
    private readonly ManifestSections _sections;

    internal ModelManifest(
        ReadOnlyMemory<byte> encoded,
        string weightsHash,
        ModelLayout layout,
        int chunkBytes,
        ImmutableArray<ModelFile> files,
        ImmutableArray<ReadOnlyMemory<byte>> hashes,
        ManifestSections sections)
    {
        Encoded = encoded;
        Hash = Convert.ToHexStringLower(SHA256.HashData(encoded.Span));
        WeightsHash = weightsHash;
        Layout = layout;
        ChunkBytes = chunkBytes;
        Files = files;
        _hashes = hashes;
        _sections = sections;
        ChunkCount = files.Sum(static file => file.ChunkCount);
        TotalBytes = files.Sum(static file => file.Length);
    }

    /// <summary>SHA-256 of its bytes, hex: names it, and with it every byte of the model.</summary>
    public string Hash { get; }

    /// <summary>The model's weights hash as the manifest claims it.</summary>
    public string WeightsHash { get; }

    /// <summary>How the model lies on disk.</summary>
    public ModelLayout Layout { get; }

    /// <summary>Decoder layers.</summary>
    public int LayerCount => _sections.Layers.Length;

    /// <summary>Bytes of a chunk; a file's last one is shorter.</summary>
    public int ChunkBytes { get; }

    /// <summary>The files.</summary>
    public ImmutableArray<ModelFile> Files { get; }

    /// <summary>Chunks of all files, numbered through in the order of files.</summary>
    public int ChunkCount { get; }

    /// <summary>Bytes of all files.</summary>
    public long TotalBytes { get; }

    /// <summary>The manifest as it is sent and stored.</summary>
    internal ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The chunks that a shard of these layers needs; null and the range of all layers: every chunk.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The model has no such layers.</exception>
    public ChunkSet ChunksOf(LayerRange? layers)
    {
        var range = layers ?? new LayerRange(0, LayerCount);
        if (range.Start < 0 || range.End > LayerCount || range.Count < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(layers), range, $"layers are in [0,{LayerCount})");
        }

        if (range.Count == LayerCount)
        {
            return ChunkSet.Full(ChunkCount);
        }

        var chunks = new ChunkSet(ChunkCount);
        Cover(chunks, _sections.Always);
        foreach (var layer in _sections.Layers.AsSpan(range.Start, range.Count))
        {
            Cover(chunks, layer);
        }

        if (range.Start == 0)
        {
            Cover(chunks, _sections.Embedding);
        }

        if (range.End == LayerCount)
        {
            Cover(chunks, _sections.Head);
        }

        return chunks;
    }

    /// <summary>Runs of layers that can be loaded with these chunks.</summary>
    public IReadOnlyList<LayerRange> LayersIn(ChunkSet held)
    {
        ArgumentNullException.ThrowIfNull(held);
        var runs = new List<LayerRange>();
        var start = 0;
        while (start < LayerCount)
        {
            var end = start;
            while (end < LayerCount && held.Covers(ChunksOf(new LayerRange(end, end + 1))))
            {
                end++;
            }

            if (end > start)
            {
                runs.Add(new LayerRange(start, end));
            }

            start = end + 1;
        }

        return runs;
    }

    /// <summary>The file that a chunk belongs to, by its index.</summary>
    internal int FileOf(int chunk)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)chunk, (uint)ChunkCount, nameof(chunk));
        var low = 0;
        var high = Files.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = Files[middle].FirstChunk <= chunk ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    /// <summary>Where a chunk begins in its file.</summary>
    internal long OffsetOf(int chunk) => (long)(chunk - Files[FileOf(chunk)].FirstChunk) * ChunkBytes;

    /// <summary>Bytes of a chunk.</summary>
    internal int LengthOf(int chunk) => (int)Math.Min(ChunkBytes, Files[FileOf(chunk)].Length - OffsetOf(chunk));

    /// <summary>Bytes of a set of chunks.</summary>
    internal long LengthOf(ChunkSet chunks) => chunks.Chunks().Sum(chunk => (long)LengthOf(chunk));

    /// <summary>Whether bytes are a chunk's.</summary>
    internal bool IsChunk(int chunk, ReadOnlySpan<byte> bytes)
    {
        var file = FileOf(chunk);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return bytes.Length == LengthOf(chunk)
            && hash.SequenceEqual(_hashes[file].Span.Slice((chunk - Files[file].FirstChunk) * hash.Length, hash.Length));
    }

    private void Cover(ChunkSet chunks, ImmutableArray<FileSpan> spans)
    {
        foreach (var span in spans)
        {
            var first = (int)(span.Start / ChunkBytes);
            var last = (int)((span.End - 1) / ChunkBytes);
            chunks.AddRange(Files[span.File].FirstChunk + first, last - first + 1);
        }
    }
}
