using Parallax.Transport.Buffers;

namespace Parallax.Transport.Links;

/// <summary>
/// Received bytes that the handler holds. Above the bound the reader waits until half of it is free, and HTTP/2 pushes
/// the peer back. Senders keep windows, so a correct peer does not get here; a hostile one cannot get further.
/// </summary>
internal sealed class ReceiveLedger(long bound) : IBufferLedger
{
    private readonly Lock _lock = new(); // guards all below
    private long _held;
    private TaskCompletionSource? _waiter;

    public long Held
    {
        get
        {
            lock (_lock)
            {
                return _held;
            }
        }
    }

    public void Take(int bytes)
    {
        lock (_lock)
        {
            _held += bytes;
        }
    }

    public void Release(int bytes)
    {
        TaskCompletionSource? waiter = null;
        lock (_lock)
        {
            _held -= bytes;
            if (_held <= bound / 2)
            {
                (waiter, _waiter) = (_waiter, null);
            }
        }

        waiter?.TrySetResult();
    }

    public Task WaitForRoomAsync()
    {
        lock (_lock)
        {
            if (_held < bound)
            {
                return Task.CompletedTask;
            }

            _waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiter.Task;
        }
    }
}
