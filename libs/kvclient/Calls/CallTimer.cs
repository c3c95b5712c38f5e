namespace Parallax.KvClient.Calls;

/// <summary>Ends a call when nothing has been heard for a while, when it has taken too long in all, or when its caller gives up.</summary>
internal sealed class CallTimer : IDisposable
{
    private readonly CancellationTokenSource _silence;
    private readonly CancellationTokenSource _all;
    private readonly TimeSpan _patience;

    public CallTimer(TimeSpan patience, TimeSpan total, TimeProvider clock, CancellationToken caller)
    {
        _patience = patience;
        _silence = new CancellationTokenSource(patience, clock);
        Total = new CancellationTokenSource(total, clock);
        _all = CancellationTokenSource.CreateLinkedTokenSource(_silence.Token, Total.Token, caller);
    }

    /// <summary>Cancelled when the call is to end.</summary>
    public CancellationToken Token => _all.Token;

    private CancellationTokenSource Total { get; }

    /// <summary>Something was heard.</summary>
    public void OnProgress() => _silence.CancelAfter(_patience);

    public void Dispose()
    {
        _all.Dispose();
        _silence.Dispose();
        Total.Dispose();
    }
}
