using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Parallax.Runtime.Weights;

/// <summary>
/// A file mapped read-only. Pages are read from disk when they are touched, so mapping a large model costs nothing
/// until its tensors are opened. All addresses are invalid after <see cref="Dispose"/>.
/// </summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _data;
    private bool _disposed;

    private MappedFile(string path, SafeFileHandle handle, long length)
    {
        Path = path;
        Length = length;
        _handle = handle;
        _map = MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            _view = _map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        }
        catch
        {
            _map.Dispose();
            throw;
        }

        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        _data = pointer + _view.PointerOffset;
    }

    /// <summary>The file's path as the user named it.</summary>
    public string Path { get; }

    /// <summary>The file's length in bytes when it was mapped.</summary>
    public long Length { get; }

    /// <exception cref="ModelFormatException">The file is missing, unreadable or empty.</exception>
    public static MappedFile Open(string path)
    {
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var length = RandomAccess.GetLength(handle);
            if (length == 0)
            {
                throw new ModelFormatException(path, "the file is empty");
            }

            var file = new MappedFile(path, handle, length);
            handle = null;
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new ModelFormatException(path, e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : $"cannot be read: {e.Message}", cause: e);
        }
        finally
        {
            handle?.Dispose();
        }
    }

    /// <summary>The bytes [offset, offset + length), which the caller has checked to lie in the file.</summary>
    public ReadOnlySpan<byte> Bytes(long offset, int length) => new(Address(offset, length), length);

    /// <summary>The address of [offset, offset + length).</summary>
    public byte* Address(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        return _data + offset;
    }

    /// <summary>
    /// Copies bytes by reading the file, not the mapping: they do not become part of the process's resident memory.
    /// </summary>
    /// <exception cref="ModelFormatException">The file became shorter since it was mapped.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(_handle, destination, offset);
            if (read == 0)
            {
                throw new ModelFormatException(Path, $"the file became shorter while it was read (byte {offset})");
            }

            offset += read;
            destination = destination[read..];
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        _handle.Dispose();
    }
}
