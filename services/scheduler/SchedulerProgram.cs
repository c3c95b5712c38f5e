using Parallax.Hosting;
using Parallax.Hosting.Lifetime;

namespace Parallax.Scheduler;

/// <summary>A scheduler as a process.</summary>
internal static class SchedulerProgram
{
    /// <summary>Leads or stands by until cancelled; gives its term back when it stops.</summary>
    public static async Task<int> RunAsync(SchedulerOptions options, CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime().AddScheduler(options);

        await using var app = builder.Build();
        app.MapScheduler();
        return await app.RunServiceAsync("scheduler", Console.Out, stop);
    }
}
