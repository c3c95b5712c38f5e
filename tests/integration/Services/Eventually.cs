namespace Parallax.IntegrationTests.Services;

/// <summary>Waits for what must come to be.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2); // a busy machine stands still for seconds; who waits in vain fails all the same

    public static Task TrueAsync(Func<bool> condition) => TrueAsync(() => Task.FromResult(condition()));

    public static Task TrueAsync(Func<Task<bool>> condition) => TrueAsync(condition, Patience);

    /// <summary>The same with patience of one's own.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan patienceTime)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(patienceTime);
        while (!await condition())
        {
            await Task.Delay(5, patience.Token);
        }
    }
}
