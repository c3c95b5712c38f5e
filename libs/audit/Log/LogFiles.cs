using System.Globalization;

namespace Parallax.Audit.Log;

/// <summary>
/// The files of a log: numbered, written at the end of the newest only. Where a line <c>R</c> comes, another file is begun with
/// it. One writer; readers read what is committed.
/// </summary>
internal sealed class LogFiles : IDisposable
{
    private const string Ending = ".log";

    private readonly string _folder;
    private readonly bool _isForced;
    private readonly FileStream _taken;
    private readonly Lock _gate = new(); // guards _lengths
    private readonly SortedDictionary<long, long> _lengths = []; // committed bytes by number
    private FileStream? _file;
    private long _number;
    private long _length;

    /// <exception cref="AuditLogException">The folder cannot be used, or another process has it.</exception>
    public LogFiles(string folder, bool isForced)
    {
        _folder = Path.GetFullPath(folder);
        _isForced = isForced;
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(_folder);
            }
            else
            {
                Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            _taken = Take(_folder);
            foreach (var file in Directory.EnumerateFiles(_folder, $"*{Ending}"))
            {
                if (long.TryParse(Path.GetFileNameWithoutExtension(file), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    _lengths[number] = new FileInfo(file).Length;
                    _number = Math.Max(_number, number);
                }
            }

            if (_number > 0)
            {
                _length = LengthOfWholeLines(PathOf(_number));
                _lengths[_number] = _length;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _taken?.Dispose();
            throw new AuditLogException($"The audit log in {_folder} cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>The newest file; 0 when there is none.</summary>
    public long Newest => _number;

    /// <summary>All committed bytes that are kept.</summary>
    public long TotalBytes
    {
        get
        {
            lock (_gate)
            {
                return _lengths.Values.Sum();
            }
        }
    }

    /// <summary>Committed bytes of a file; null when it is not there.</summary>
    public long? LengthOf(long number)
    {
        lock (_gate)
        {
            return _lengths.TryGetValue(number, out var length) ? length : null;
        }
    }

    /// <summary>The oldest file from a number on; null when there is none.</summary>
    public long? FirstFrom(long number)
    {
        lock (_gate)
        {
            foreach (var one in _lengths.Keys)
            {
                if (one >= number)
                {
                    return one;
                }
            }

            return null;
        }
    }

    public string PathOf(long number) => Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{number:0000000000}{Ending}"));

    /// <summary>Writes the lines up to the next file, or, where one begins, the line that begins it. Nothing of them is there when it throws.</summary>
    /// <returns>Bytes written.</returns>
    /// <exception cref="AuditLogException">They could not be written.</exception>
    public int Write(ReadOnlyMemory<byte> lines)
    {
        var bytes = lines.Span;
        var begins = bytes.StartsWith(LogLine.NewFile);
        var border = begins ? -1 : bytes.IndexOf("\nR\n"u8);
        var count = begins ? LogLine.NewFile.Length : border >= 0 ? border + 1 : bytes.Length;
        try
        {
            if (begins || _file is null)
            {
                Open(begins ? _number + 1 : _number);
            }

            try
            {
                _file!.Write(bytes[..count]);
                _file.Flush(_isForced);
            }
            catch
            {
                _file!.SetLength(_length); // half a line must not stand before the next
                _file.Position = _length;
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            throw new AuditLogException($"The audit log {PathOf(begins ? _number + 1 : _number)} cannot be written: {e.Message}", e);
        }

        _length += count;
        lock (_gate)
        {
            _lengths[_number] = _length;
        }

        return count;
    }

    /// <summary>Removes files that were read to their ends; the two newest stay, for the next run to find out how this one ended.</summary>
    /// <param name="below">Files of lower numbers.</param>
    public void Remove(long below)
    {
        List<long> gone;
        lock (_gate)
        {
            gone = [.. _lengths.Keys.Where(number => number < Math.Min(below, _number - 1))];
        }

        foreach (var number in gone)
        {
            File.Delete(PathOf(number));
            lock (_gate)
            {
                _lengths.Remove(number);
            }
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _taken.Dispose();
    }

    private void Open(long number)
    {
        _file?.Dispose();
        _file = null;
        var file = new FileStream(PathOf(number), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        if (number != _number)
        {
            file.SetLength(0); // one that was begun and failed
            (_number, _length) = (number, 0);
        }

        file.SetLength(_length);
        file.Position = _length;
        _file = file;
    }

    private static FileStream Take(string folder)
    {
        var path = Path.Combine(folder, "in-use");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new AuditLogInUseException(folder, e);
        }
    }

    private static long LengthOfWholeLines(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> chunk = stackalloc byte[4096];
        for (var end = file.Length; end > 0;)
        {
            var start = Math.Max(0, end - chunk.Length);
            var part = chunk[..(int)(end - start)];
            file.Position = start;
            file.ReadExactly(part);
            var last = part.LastIndexOf((byte)'\n');
            if (last >= 0)
            {
                return start + last + 1;
            }

            end = start;
        }

        return 0;
    }
}
