namespace Parallax.Cli.Chaos.Traffic;

/// <summary>When an answer that is being read has so many tokens that something is to be broken; its arrivals go on to a ledger of gaps.</summary>
/// <param name="tokens">How many.</param>
/// <param name="ledger">The ledger.</param>
internal sealed class FaultMoment(int tokens, GapLedger ledger)
{
    private readonly TaskCompletionSource _due = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _came;

    /// <summary>Completes when the answer is so long.</summary>
    public Task Due => _due.Task;

    /// <summary>Tokens that have come so far.</summary>
    public int Came => Volatile.Read(ref _came);

    /// <summary>Tokens came.</summary>
    public void OnArrival(Arrival arrival)
    {
        ledger.OnArrival(arrival);
        if (Interlocked.Add(ref _came, arrival.Tokens) >= tokens)
        {
            _due.TrySetResult();
        }
    }
}
