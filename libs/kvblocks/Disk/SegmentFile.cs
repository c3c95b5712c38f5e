using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Parallax.KvBlocks.Disk;

/// <summary>
/// A segment: records one after the other, appended by one thread and read by any. Reads of one that has been deleted meanwhile throw
/// <see cref="ObjectDisposedException"/>.
/// </summary>
internal sealed class SegmentFile : ISegmentBytes, IDisposable
{
    private const string Suffix = ".kvseg";

    private readonly SafeFileHandle _handle;
    private readonly byte[] _header = new byte[RecordHeader.Size];
    private readonly ReadOnlyMemory<byte>[] _record = new ReadOnlyMemory<byte>[2];
    private long _length;

    private SegmentFile(int number, string path, ulong mark, SafeFileHandle handle, long length)
    {
        (Number, Path, Mark, _handle, _length) = (number, path, mark, handle, length);
    }

    public int Number { get; }

    public string Path { get; }

    /// <summary>What begins each of its records.</summary>
    public ulong Mark { get; }

    /// <summary>Bytes of it, as far as they were written whole.</summary>
    public long Length => Interlocked.Read(ref _length);

    /// <summary>Makes one.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="number">Its number: no other file of the folder has it.</param>
    /// <param name="mark">Drawn at random.</param>
    public static SegmentFile Create(string folder, int number, ulong mark)
    {
        var path = PathOf(folder, number);
        var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            Span<byte> header = stackalloc byte[SegmentHeader.Size];
            SegmentHeader.Write(header, mark);
            RandomAccess.Write(handle, header, 0);
            return new SegmentFile(number, path, mark, handle, SegmentHeader.Size);
        }
        catch
        {
            handle.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Opens one that is there; null when it cannot be used.</summary>
    public static SegmentFile? Open(string path, int number, out SegmentKind kind, out uint version)
    {
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            Span<byte> header = stackalloc byte[SegmentHeader.Size];
            kind = SegmentHeader.Read(header[..ReadFully(handle, 0, header)], out var mark, out version);
            if (kind == SegmentKind.Ours)
            {
                var file = new SegmentFile(number, path, mark, handle, RandomAccess.GetLength(handle));
                handle = null;
                return file;
            }

            return null;
        }
        finally
        {
            handle?.Dispose();
        }
    }

    /// <summary>The number in a file's name; null when it is no segment's name.</summary>
    public static int? NumberOf(string path)
    {
        var name = System.IO.Path.GetFileName(path);
        return name.Length == 8 + Suffix.Length
            && name.EndsWith(Suffix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(0, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            && number >= 0 ? number : null;
    }

    /// <summary>Where a segment of a number is.</summary>
    public static string PathOf(string folder, int number) => System.IO.Path.Combine(folder, number.ToString("x8", CultureInfo.InvariantCulture) + Suffix);

    /// <summary>Adds a record. One that could not be written whole is taken back as far as that goes; it is never read.</summary>
    /// <returns>Where it begins.</returns>
    /// <exception cref="IOException">The disk is full, or does not take it.</exception>
    public uint Append(in RecordHeader header, ReadOnlyMemory<byte> payload)
    {
        var at = _length;
        header.Write(_header, Mark);
        (_record[0], _record[1]) = (_header, payload);
        try
        {
            RandomAccess.Write(_handle, _record, at);
        }
        catch
        {
            RandomAccess.SetLength(_handle, at);
            throw;
        }
        finally
        {
            _record[1] = default;
        }

        Interlocked.Exchange(ref _length, at + RecordHeader.RecordBytes(payload.Length));
        return (uint)at;
    }

    /// <summary>Hands what was written to the device.</summary>
    public void Flush() => RandomAccess.FlushToDisk(_handle);

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> bytes) => ReadFully(_handle, offset, bytes);

    /// <summary>Reads as much as there is; how much that is.</summary>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> bytes, CancellationToken cancellationToken)
    {
        var done = 0;
        while (done < bytes.Length)
        {
            var read = await RandomAccess.ReadAsync(_handle, bytes[done..], offset + done, cancellationToken);
            if (read == 0)
            {
                break;
            }

            done += read;
        }

        return done;
    }

    /// <summary>Deletes the file; reads that run end as they are.</summary>
    public void Delete()
    {
        File.Delete(Path);
        Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static int ReadFully(SafeFileHandle handle, long offset, Span<byte> bytes)
    {
        var done = 0;
        while (done < bytes.Length)
        {
            var read = RandomAccess.Read(handle, bytes[done..], offset + done);
            if (read == 0)
            {
                break;
            }

            done += read;
        }

        return done;
    }
}
