using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Parallax.ModelFiles.Manifests;

namespace Parallax.ModelFiles.Storage;

/// <summary>
/// Manifests of models that lie on this machine, kept so that gigabytes are hashed once: a manifest is good for as long as
/// all files have the length and time of change that they had.
/// </summary>
internal sealed class ManifestCache(string folder)
{
    private const int WeightsHashLength = 64;

    /// <summary>The kept manifest of a model, or null when there is none or a file has changed.</summary>
    public ModelManifest? TryRead(string modelPath, ImmutableArray<string> files)
    {
        var contents = AtomicFile.TryRead(PathOf(modelPath), ManifestLimits.MaxBytes + (1 << 20));
        if (contents is null || contents.Length < SHA256.HashSizeInBytes + WeightsHashLength || Stamp(files) is not { } stamp
            || !contents.AsSpan(0, stamp.Length).SequenceEqual(stamp))
        {
            return null;
        }

        try
        {
            return ManifestReader.Read(contents.AsMemory(stamp.Length + WeightsHashLength), Encoding.ASCII.GetString(contents, stamp.Length, WeightsHashLength));
        }
        catch (ModelFilesException)
        {
            return null; // damaged, or of another version: made anew
        }
    }

    /// <summary>Keeps a manifest.</summary>
    public void Write(string modelPath, ImmutableArray<string> files, ModelManifest manifest)
    {
        if (Stamp(files) is { } stamp)
        {
            Directory.CreateDirectory(folder);
            AtomicFile.Write(PathOf(modelPath), [.. stamp, .. Encoding.ASCII.GetBytes(manifest.WeightsHash), .. manifest.Encoded.Span]);
        }
    }

    private string PathOf(string modelPath) =>
        Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(modelPath))).AsSpan(0, 16)));

    /// <summary>Hash over the files' paths, lengths and times of change; null when one is gone.</summary>
    private static byte[]? Stamp(ImmutableArray<string> files)
    {
        var text = new StringBuilder();
        foreach (var path in files)
        {
            try
            {
                using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                text.Append(path).Append('\n').Append(RandomAccess.GetLength(handle)).Append('\n').Append(File.GetLastWriteTimeUtc(handle).Ticks).Append('\n');
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        }

        return SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));
    }
}
