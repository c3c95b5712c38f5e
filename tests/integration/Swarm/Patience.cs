namespace Parallax.IntegrationTests.Swarm;

/// <summary>How long a test waits for what must come to be.</summary>
internal static class Patience
{
    /// <summary>Begins to wait; cancelled at the limit, and when the test is given up.</summary>
    public static CancellationTokenSource Begin() => Testing.Members.LongWait.Begin(TestContext.Current.CancellationToken);
}
