using System.Buffers;

namespace Parallax.Audit.Log;

/// <summary>
/// Writes records in the order in which they come, those that come while a commit is under way together with the next. There
/// is no waiting for company: a commit starts as soon as the one before is done. Records that cannot be written are kept, and
/// written before all later ones: those who wait for them learn that they are not committed yet. Thread-safe.
/// </summary>
/// <param name="write">Writes a beginning of what it is given and says how many bytes; called by one thread at a time.</param>
internal sealed class GroupCommit(Func<ReadOnlyMemory<byte>, int> write) : IAsyncDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new(); // guards _filling, _commit and _isClosed; the rest is the loop's
    private readonly SemaphoreSlim _work = new(0);
    private ArrayBufferWriter<byte> _filling = new(4096);
    private ArrayBufferWriter<byte> _writing = new(4096);
    private int _written;                // of _writing
    private TaskCompletionSource _commit = New();
    private Task? _loop;
    private bool _isClosed;
    private string? _fault;

    /// <summary>Why the last commit failed; null when it did not.</summary>
    public string? Fault => Volatile.Read(ref _fault);

    public void Start() => _loop = Task.Run(CommitAsync);

    /// <summary>Adds a record; the task ends when it is committed, or could not be yet.</summary>
    public Task Add(ReadOnlySpan<byte> record)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (_filling.WrittenCount == 0)
            {
                _work.Release();
            }

            _filling.Write(record);
            return _commit.Task;
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
        }

        _work.Release();
        await (_loop ?? Task.CompletedTask);
        _work.Dispose();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task CommitAsync()
    {
        while (true)
        {
            if (_writing.WrittenCount > 0)
            {
                // Something is left of a commit that failed: it is tried again when more comes, and soon anyway.
                await _work.WaitAsync(RetryAfter);
            }
            else
            {
                await _work.WaitAsync();
            }

            TaskCompletionSource commit;
            bool isLast;
            lock (_gate)
            {
                isLast = _isClosed;
                if (_writing.WrittenCount == 0)
                {
                    (_filling, _writing) = (_writing, _filling);
                }
                else
                {
                    _writing.Write(_filling.WrittenSpan);
                    _filling.ResetWrittenCount();
                }

                commit = _commit;
                _commit = New();
            }

            try
            {
                while (_written < _writing.WrittenCount)
                {
                    _written += write(_writing.WrittenMemory[_written..]);
                }

                _writing.ResetWrittenCount();
                _written = 0;

                Volatile.Write(ref _fault, null);
                commit.TrySetResult();
            }
            catch (Exception e)
            {
                // Whatever it was: those who wait must hear of it.
                Volatile.Write(ref _fault, e.Message);
                commit.TrySetException(e as AuditLogException ?? new AuditLogException(e.Message, e));
                _ = commit.Task.Exception; // seen by those who wait, if any do
            }

            lock (_gate)
            {
                if (isLast && _filling.WrittenCount == 0)
                {
                    return;
                }
            }
        }
    }
}
