using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Flow;

/// <summary>
/// A local file that takes what the journals of one stage have no memory for. A thread of its own writes and reads, so
/// that the loop that owns the journals never waits for a disk; a chunk stays in memory until it has been written, and
/// what is read back is checked (CRC-32C). When the disk is full or fails, a warning is logged, nothing more is spilled,
/// and journals drop what they have no memory for, as they do without a spill. Thread-safe.
/// </summary>
/// <remarks>
/// Why not a mapped file: a page that is not in memory stops the thread that touches it for as long as the disk takes,
/// nothing tells beforehand, and a failing disk ends the process.
/// </remarks>
public sealed partial class JournalSpill : IDisposable
{
    private readonly JournalSpillOptions _options;
    private readonly SpillStore _store;
    private readonly TensorBufferPool _pool;
    private readonly ILogger _logger;
    private readonly Action _wake;
    private readonly Func<ISpillFile> _open;
    private readonly Thread? _thread;
    private readonly Lock _lock = new(); // guards _isStarted and _isDisposed
    private ISpillFile? _file; // the thread's
    private bool _hasWarned; // the thread's
    private long _writtenBytes;
    private long _readBytes;
    private bool _isStarted;
    private bool _isDisposed;

    /// <summary>A spill; its thread starts, and its file is made, with the first chunk.</summary>
    /// <param name="options">Bounds.</param>
    /// <param name="wake">Called, on the spill's thread, when a chunk that a journal waits for can be read or is lost.</param>
    /// <param name="logger">Told once when the file fails.</param>
    /// <param name="pool">Buffers; the process's when null.</param>
    public JournalSpill(JournalSpillOptions options, Action wake, ILogger logger, TensorBufferPool? pool = null)
        : this(options, wake, logger, pool ?? TensorBufferPool.Shared, () => new LocalSpillFile(options.Folder))
    {
    }

    /// <param name="options">Bounds.</param>
    /// <param name="wake">Called when a chunk that a journal waits for can be read or is lost.</param>
    /// <param name="logger">Told once when the file fails.</param>
    /// <param name="pool">Buffers.</param>
    /// <param name="open">Makes the file.</param>
    /// <param name="ownThread">False: there is no thread, <see cref="TryDoNext"/> does the work (tests).</param>
    internal JournalSpill(
        JournalSpillOptions options, Action wake, ILogger logger, TensorBufferPool pool, Func<ISpillFile> open, bool ownThread = true)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(wake);
        ArgumentNullException.ThrowIfNull(logger);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ChunkBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.ChunkBytes, TensorBufferPool.MaxLength);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Bytes);
        (_options, _wake, _logger, _pool, _open) = (options, wake, logger, pool, open);
        _store = new SpillStore(options);
        _thread = ownThread ? new Thread(Run) { IsBackground = true, Name = "parallax-journal-spill" } : null;
    }

    /// <summary>Bytes of the file in use, chunks on their way there included.</summary>
    public long UsedBytes => _store.UsedBytes;

    /// <summary>Bytes written to the file so far.</summary>
    public long WrittenBytes => Interlocked.Read(ref _writtenBytes);

    /// <summary>Bytes read back so far.</summary>
    public long ReadBytes => Interlocked.Read(ref _readBytes);

    /// <summary>Bytes in memory beside the journals' budget: chunks that wait to be written, and chunks read back.</summary>
    public long MemoryBytes => _store.MemoryBytes;

    /// <summary>Ends the thread, when it has finished the I/O at hand, and deletes the file. The journals go first.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
        }

        _store.Close();
        if (_isStarted)
        {
            _thread?.Join();
        }
    }

    internal void Wake() => _wake();

    /// <inheritdoc cref="SpillStore.TryAdd"/>
    internal SpilledChunk? TryAdd(TensorBuffer bytes)
    {
        lock (_lock)
        {
            if (_isDisposed || _store.TryAdd(bytes) is not { } chunk)
            {
                return null;
            }

            if (!_isStarted)
            {
                _isStarted = true;
                _thread?.Start();
            }

            return chunk;
        }
    }

    /// <inheritdoc cref="SpillStore.Want"/>
    internal SpillAccess Want(SpilledChunk chunk, bool ahead = false) => _store.Want(chunk, ahead);

    /// <inheritdoc cref="SpillStore.Unwant"/>
    internal void Unwant(SpilledChunk chunk) => _store.Unwant(chunk);

    /// <inheritdoc cref="SpillStore.Release"/>
    internal void Release(SpilledChunk chunk) => _store.Release(chunk);

    /// <summary>Does the I/O that is due next; false when there is none.</summary>
    internal bool TryDoNext()
    {
        if (!_store.TryTakeWork(out var work))
        {
            return false;
        }

        Do(work);
        return true;
    }

    private void Run()
    {
        try
        {
            while (_store.WaitForWork(out var work))
            {
                Do(work);
            }
        }
        finally
        {
            _file?.Dispose();
        }
    }

    private void Do(in SpillWork work)
    {
        switch (work.Kind)
        {
            case SpillWorkKind.Write:
                using (var bytes = work.Bytes!)
                {
                    _store.OnWritten(work.Chunk!, TryWrite(work.Chunk!, bytes.Span));
                }

                break;
            case SpillWorkKind.Read:
                _store.OnRead(work.Chunk!, TryRead(work.Chunk!));
                _wake();
                break;
            case SpillWorkKind.Clear:
                Clear();
                break;
            default:
                throw new UnreachableException();
        }
    }

    private bool TryWrite(SpilledChunk chunk, ReadOnlySpan<byte> bytes)
    {
        chunk.Checksum = Crc32C.Compute(bytes);
        try
        {
            _file ??= _open();
            _file.Write(chunk.Slot * _options.ChunkBytes, bytes);
            Interlocked.Add(ref _writtenBytes, bytes.Length);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            TurnOff(error, "written");
            return false;
        }
    }

    private TensorBuffer? TryRead(SpilledChunk chunk)
    {
        var bytes = _pool.Rent(chunk.Length, "journal read back");
        try
        {
            _file!.Read(chunk.Slot * _options.ChunkBytes, bytes.Span);
            Interlocked.Add(ref _readBytes, bytes.Length);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            bytes.Dispose();
            TurnOff(error, "read");
            return null;
        }

        if (Crc32C.Compute(bytes.Span) == chunk.Checksum)
        {
            return bytes;
        }

        bytes.Dispose();
        TurnOff(null, "read as it was written: a checksum differs");
        return null;
    }

    private void Clear()
    {
        try
        {
            _file?.Clear();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            TurnOff(error, "emptied");
        }
    }

    private void TurnOff(Exception? error, string what)
    {
        _store.TurnOff();
        if (!_hasWarned)
        {
            _hasWarned = true;
            LogFailed(error, what, _options.Folder);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The spill file of the journals in {Folder} cannot be {What}. Nothing more is spilled: hidden states that memory "
            + "does not hold are dropped, and computed again if a stage is lost. Free space or name another folder, and restart the worker.")]
    private partial void LogFailed(Exception? error, string what, string folder);
}
