using Microsoft.Win32.SafeHandles;

namespace Parallax.Transport.Flow;

/// <summary>
/// A file that nobody else opens and that does not outlive the process, however that ends: on Unix it has no name any more as
/// soon as it is open; Windows deletes it with its last handle.
/// </summary>
internal sealed class LocalSpillFile : ISpillFile
{
    private const string Prefix = "parallax-journal-";
    private const string Suffix = ".spill";

    private readonly FileStream _stream; // for its options; all I/O goes by the handle
    private readonly SafeFileHandle _handle;

    public LocalSpillFile(string folder)
    {
        Directory.CreateDirectory(folder);
        DeleteLeft(folder);
        var path = Path.Combine(folder, $"{Prefix}{Guid.NewGuid():N}{Suffix}");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 0,
            Options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        _stream = new FileStream(path, options);
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(path);
        }

        _handle = _stream.SafeFileHandle;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_handle, bytes, offset);

    public void Read(long offset, Span<byte> target)
    {
        while (target.Length > 0)
        {
            var read = RandomAccess.Read(_handle, target, offset);
            if (read == 0)
            {
                throw new EndOfStreamException($"The file ends at {offset}, {target.Length} bytes too early.");
            }

            offset += read;
            target = target[read..];
        }
    }

    public void Clear() => RandomAccess.SetLength(_handle, 0);

    public void Dispose() => _stream.Dispose();

    // A process may have been killed between opening its file and deleting it; on Windows, a machine may have lost power.
    private static void DeleteLeft(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, $"{Prefix}*{Suffix}"))
        {
            try
            {
                File.Delete(path); // on Unix a file in use has no name, or is about to lose it
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Another user's, or, on Windows, in use: theirs to delete.
            }
        }
    }
}
