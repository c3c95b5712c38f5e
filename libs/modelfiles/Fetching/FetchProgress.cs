namespace Parallax.ModelFiles.Fetching;

/// <summary>How far a download is.</summary>
/// <param name="BytesDone">Bytes that are there, those of earlier runs included.</param>
/// <param name="BytesTotal">Bytes that are wanted.</param>
/// <param name="BytesPerSecond">What has come since this run began, over its time.</param>
/// <param name="Peers">Peers that chunks are being read from.</param>
public readonly record struct FetchProgress(long BytesDone, long BytesTotal, double BytesPerSecond, int Peers);
