using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Parallax.Router.RequestLog;

/// <summary>
/// The request log in a file with group commit: records that come while a commit is under way go into the next one
/// together. There is no waiting for company: a commit starts as soon as the one before is done. A file that has
/// reached its size is put aside as <c>.1</c>, so that the log takes at most twice that.
/// </summary>
internal sealed class FileRequestLog : IRequestLog
{
    private const byte LineEnd = (byte)'\n';
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _path;
    private readonly long _maxBytes;
    private readonly bool _forced;
    private readonly Lock _gate = new(); // guards _filling, _commit, _closed and _json
    private readonly SemaphoreSlim _work = new(0);
    private readonly Utf8JsonWriter _json;
    private readonly Task _loop;
    private ArrayBufferWriter<byte> _filling = new(4096);
    private ArrayBufferWriter<byte> _writing = new(4096);
    private TaskCompletionSource _commit = NewCommit();
    private FileStream _file;
    private long _length;
    private bool _closed;
    private string? _fault;

    /// <summary>Opens or creates the log; a record that a crash cut short is removed from its end.</summary>
    /// <exception cref="RequestLogException">The file cannot be had.</exception>
    public FileRequestLog(string path, long maxBytes, bool forced)
    {
        _path = Path.GetFullPath(path);
        _maxBytes = maxBytes;
        _forced = forced;
        _json = new Utf8JsonWriter(_filling, Json);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            _file = OpenFile();
            _length = LengthOfWholeRecords(_file);
            Truncate();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RequestLogException($"The request log {_path} cannot be opened: {e.Message}", e);
        }

        _loop = Task.Run(CommitLoopAsync);
    }

    public string? Fault => Volatile.Read(ref _fault);

    public ValueTask AppendAsync<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        Task commit;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (_filling.WrittenCount == 0)
            {
                _work.Release();
            }

            _json.Reset(_filling);
            _json.WriteStartObject();
            write(_json, state);
            _json.WriteEndObject();
            _json.Flush();
            _filling.Write([LineEnd]);
            commit = _commit.Task;
        }

        return new ValueTask(commit);
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
        }

        _work.Release();
        await _loop;
        await _file.DisposeAsync();
        await _json.DisposeAsync();
        _work.Dispose();
    }

    private static TaskCompletionSource NewCommit() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task CommitLoopAsync()
    {
        while (true)
        {
            await _work.WaitAsync();
            TaskCompletionSource commit;
            lock (_gate)
            {
                if (_filling.WrittenCount == 0)
                {
                    // Only closing wakes the loop without a record.
                    return;
                }

                (_filling, _writing) = (_writing, _filling);
                commit = _commit;
                _commit = NewCommit();
            }

            try
            {
                Write(_writing.WrittenSpan);
                Volatile.Write(ref _fault, null);
                commit.TrySetResult();
            }
            catch (Exception e)
            {
                // Whatever it was: those who wait must hear of it, and the next commit tries anew.
                var error = new RequestLogException($"The request log {_path} cannot be written: {e.Message}", e);
                Volatile.Write(ref _fault, error.Message);
                commit.TrySetException(error);
                _ = commit.Task.Exception; // seen by those who wait, if any still do
            }

            _writing.ResetWrittenCount();
        }
    }

    private void Write(ReadOnlySpan<byte> records)
    {
        if (!_file.CanWrite)
        {
            Reopen(); // putting aside had failed half way
        }

        if (_length > 0 && _length + records.Length > _maxBytes)
        {
            PutAside();
        }

        try
        {
            _file.Write(records);
            _file.Flush(_forced);
            _length += records.Length;
        }
        catch
        {
            Truncate(); // half a record must not stand before the next
            throw;
        }
    }

    private void PutAside()
    {
        _file.Dispose();
        try
        {
            File.Move(_path, _path + ".1", overwrite: true);
        }
        finally
        {
            Reopen();
        }
    }

    private void Reopen()
    {
        _file = OpenFile();
        _length = _file.Length;
        _file.Position = _length;
    }

    private void Truncate()
    {
        _file.SetLength(_length);
        _file.Position = _length;
    }

    // Not shared: two routers in one log would overwrite each other.
    private FileStream OpenFile() =>
        new(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);

    private static long LengthOfWholeRecords(FileStream file)
    {
        Span<byte> chunk = stackalloc byte[4096];
        for (var end = file.Length; end > 0;)
        {
            var start = Math.Max(0, end - chunk.Length);
            var part = chunk[..(int)(end - start)];
            file.Position = start;
            file.ReadExactly(part);
            var last = part.LastIndexOf(LineEnd);
            if (last >= 0)
            {
                return start + last + 1;
            }

            end = start;
        }

        return 0;
    }
}
