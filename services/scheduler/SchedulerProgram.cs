using Parallax.Hosting;
using Parallax.Hosting.Lifetime;
using Parallax.Hosting.Status;
using Parallax.Scheduler.Workflow;
using Parallax.Swarm.Joining;

namespace Parallax.Scheduler;

/// <summary>A scheduler as a process.</summary>
internal static class SchedulerProgram
{
    /// <summary>Leads or stands by until cancelled; gives its term back when it stops.</summary>
    public static async Task<int> RunAsync(SchedulerOptions options, JoinSwarm? join, CancellationToken stop)
    {
        if (join is not null)
        {
            return await RunAsync(options, join, Console.Out, stop);
        }

        await using var status = await StatusServer.StartAsync(options.Status, stop);
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime().AddScheduler(options);

        await using var app = builder.Build();
        app.MapScheduler();
        Watch(status, app.Services, stop);
        return await app.RunServiceAsync("scheduler", Console.Out, stop);
    }

    /// <summary>As a member of a swarm, whose port serves its calls as well.</summary>
    private static async Task<int> RunAsync(SchedulerOptions options, JoinSwarm join, TextWriter output, CancellationToken stop)
    {
        await using var status = await StatusServer.StartAsync(options.Status, stop);
        await using var member = await MemberApp.StartAsync(
            join,
            (builder, credentials) => builder.AddSwarmScheduler(options with { Id = credentials.Self.ToString() }),
            static app => app.MapScheduler(),
            stop);
        Watch(status, member.Services, stop);
        await output.WriteLineAsync($"scheduler listens on {member.Address}");
        await output.FlushAsync(CancellationToken.None);
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await member.StopAsync();
        return ExitCode.Ok;
    }

    private static void Watch(StatusServer? status, IServiceProvider services, CancellationToken stop)
    {
        var loop = services.GetRequiredService<SchedulerLoop>();
        status?.Watch(() => stop.IsCancellationRequested ? "It is stopping." : loop.Problem);
    }
}
