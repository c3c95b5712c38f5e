namespace Parallax.ModelFiles.Manifests;

/// <summary>What a manifest may come to; anything larger is refused before it is looked at.</summary>
internal static class ManifestLimits
{
    /// <summary>Bytes of a manifest: enough for 8 TB of weights in chunks of 4 MiB.</summary>
    public const int MaxBytes = 64 << 20;

    /// <summary>Files of a model.</summary>
    public const int MaxFiles = 4096;

    /// <summary>Decoder layers of a model.</summary>
    public const int MaxLayers = 4096;

    /// <summary>Chunks of a model.</summary>
    public const int MaxChunks = 2 << 20;

    /// <summary>Ranges of bytes in all sections together.</summary>
    public const int MaxRanges = 1 << 18;

    /// <summary>Bytes of all sections together, before they are parsed.</summary>
    public const int MaxSectionBytes = 6 << 20;

    /// <summary>The chunk's size of ordinary models.</summary>
    public const int SmallChunk = 1 << 20;

    /// <summary>The chunk's size of models above <see cref="LargeModel"/>.</summary>
    public const int LargeChunk = 4 << 20;

    /// <summary>Bytes above which chunks are large, so that manifests stay small.</summary>
    public const long LargeModel = 16L << 30;

    /// <summary>The one size that peers with equal files use.</summary>
    public static int ChunkBytesFor(long modelBytes) => modelBytes > LargeModel ? LargeChunk : SmallChunk;
}
