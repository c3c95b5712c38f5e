namespace Parallax.IntegrationTests.Swarm;

/// <summary>How long a test waits for what must come to be: long enough for a machine with much else to do.</summary>
internal static class Patience
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Begins to wait; cancelled at the limit, and when the test is given up.</summary>
    public static CancellationTokenSource Begin()
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Limit);
        return patience;
    }
}
