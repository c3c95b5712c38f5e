namespace Parallax.Overlay.Protocol;

/// <summary>A token bucket per caller. Pure: time is a parameter. Not thread-safe, bounded.</summary>
internal sealed class CallerBudgets(double perSecond, double burst, int maxCallers)
{
    private readonly Dictionary<string, Budget> _callers = [];

    public int Callers => _callers.Count;

    /// <summary>Takes <paramref name="cost"/> from a caller's bucket, or nothing when it has not that much.</summary>
    public bool TryTake(string caller, double cost, TimeSpan now)
    {
        if (!_callers.TryGetValue(caller, out var budget))
        {
            if (_callers.Count >= maxCallers)
            {
                Prune(now);
            }

            // Still full: everybody else calls much just now, and a newcomer has to wait.
            if (_callers.Count >= maxCallers)
            {
                return false;
            }

            budget = new Budget(burst, now);
        }

        var tokens = Fill(budget, now);
        var takes = tokens >= cost;
        _callers[caller] = new Budget(takes ? tokens - cost : tokens, now);
        return takes;
    }

    // A full bucket is as good as none.
    private void Prune(TimeSpan now)
    {
        foreach (var (caller, budget) in _callers.ToArray())
        {
            if (Fill(budget, now) >= burst)
            {
                _callers.Remove(caller);
            }
        }
    }

    private double Fill(Budget budget, TimeSpan now) => Math.Min(burst, budget.Tokens + ((now - budget.At).TotalSeconds * perSecond));

    private readonly record struct Budget(double Tokens, TimeSpan At);
}
