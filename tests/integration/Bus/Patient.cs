using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Bus;

/// <summary>Waits for what must come to be, also where a broker has to start on a machine that is busy.</summary>
internal static class Patient
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    public static Task UntilAsync(Func<Task<bool>> condition) => Eventually.TrueAsync(condition, Patience);
}
