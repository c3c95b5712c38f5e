namespace Parallax.Testing.Members;

/// <summary>How long is waited for what must come to be: long enough for a machine with much else to do.</summary>
internal static class LongWait
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Begins to wait; cancelled at the limit, and with the token.</summary>
    public static CancellationTokenSource Begin(CancellationToken giveUp)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(giveUp);
        patience.CancelAfter(Limit);
        return patience;
    }
}
