namespace Parallax.ModelFiles.Storage;

/// <summary>Files that are there whole or not at all, also after a crash.</summary>
internal static class AtomicFile
{
    /// <summary>Writes beside the file, flushes, and puts it in the file's place.</summary>
    public static void Write(string path, ReadOnlySpan<byte> contents)
    {
        var fresh = path + ".new";
        using (var stream = new FileStream(fresh, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            stream.Write(contents);
            stream.Flush(flushToDisk: true);
        }

        File.Move(fresh, path, overwrite: true);
    }

    /// <summary>Reads a file of at most so many bytes; null when it is missing or larger.</summary>
    public static byte[]? TryRead(string path, long most)
    {
        try
        {
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var length = RandomAccess.GetLength(handle);
            if (length > most)
            {
                return null;
            }

            var contents = new byte[length];
            return RandomAccess.Read(handle, contents, 0) == length ? contents : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
