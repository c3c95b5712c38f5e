namespace Parallax.Router.Access.Quotas;

/// <summary>Tokens that a request has set aside. Thread-safe; settled once, and what comes later changes nothing.</summary>
internal sealed class TokenReservation(QuotaLedger ledger, string key, DateOnly day, long tokens) : IDisposable
{
    private bool _isSettled;

    /// <summary>The key's id.</summary>
    public string Key => key;

    /// <summary>The day that they are set aside of.</summary>
    public DateOnly Day => day;

    /// <summary>How many.</summary>
    public long Tokens => tokens;

    /// <summary>Counts what was used in their place, be it more or less.</summary>
    public void Settle(long used)
    {
        if (!Interlocked.Exchange(ref _isSettled, true))
        {
            ledger.Settle(this, used);
        }
    }

    /// <summary>Gives back all, unless it is settled.</summary>
    public void Dispose() => Settle(0);
}
