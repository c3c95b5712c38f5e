namespace Parallax.EventStore.Appends;

/// <summary>A call that waits for its transaction. It can be given up until it is taken, and not after.</summary>
internal sealed class PendingAppend(AppendRequest request)
{
    private readonly TaskCompletionSource<AppendResult> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isDecided; // 1: taken by the writer, or given up by the caller; whoever is first

    public AppendRequest Request { get; } = request;

    public Task<AppendResult> Outcome => _outcome.Task;

    /// <summary>The writer takes it; false: its caller has given up.</summary>
    public bool TryTake() => Interlocked.Exchange(ref _isDecided, 1) == 0;

    public void GiveUp(CancellationToken cancellationToken)
    {
        if (TryTake())
        {
            _outcome.TrySetCanceled(cancellationToken);
        }
    }

    public void Complete(AppendOutcome outcome)
    {
        if (outcome.Refusal is { } refusal)
        {
            _outcome.TrySetException(refusal);
        }
        else
        {
            _outcome.TrySetResult(outcome.Result!);
        }
    }

    public void Fail(Exception problem) => _outcome.TrySetException(problem);
}
