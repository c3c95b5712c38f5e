namespace Parallax.Router.Idempotency;

/// <summary>The bytes that recorded answers may take together. Thread-safe.</summary>
/// <param name="limit">At most so many.</param>
internal sealed class AnswerBudget(long limit)
{
    private readonly Lock _gate = new(); // guards _used
    private long _used;

    /// <summary>Asked for room when there is none; says whether there may be some now. Called without the lock.</summary>
    public Func<bool>? MakeRoom { get; set; }

    /// <summary>Bytes in use.</summary>
    public long Used
    {
        get
        {
            lock (_gate)
            {
                return _used;
            }
        }
    }

    /// <summary>Takes bytes, if need be after room was made.</summary>
    public bool TryTake(long bytes)
    {
        do
        {
            lock (_gate)
            {
                if (bytes <= limit - _used)
                {
                    _used += bytes;
                    return true;
                }
            }
        }
        while (bytes <= limit && MakeRoom?.Invoke() == true);
        return false;
    }

    /// <summary>Gives bytes back.</summary>
    public void Give(long bytes)
    {
        lock (_gate)
        {
            _used -= bytes;
        }
    }
}
