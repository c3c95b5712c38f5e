namespace Parallax.ModelFiles.Manifests;

/// <summary>Bytes [Start, End) of a manifest's file.</summary>
/// <param name="File">Index into the manifest's files.</param>
/// <param name="Start">First byte.</param>
/// <param name="End">Behind the last byte.</param>
internal readonly record struct FileSpan(int File, long Start, long End);
