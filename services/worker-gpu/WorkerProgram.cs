using Parallax.Hosting;
using Parallax.Hosting.Lifetime;
using Parallax.Hosting.Status;
using Parallax.Runtime.Sampling;
using Parallax.Worker.Gpu.Control;
using Parallax.Worker.Gpu.Shards;
using Parallax.Worker.Gpu.Swarm;

namespace Parallax.Worker.Gpu;

/// <summary>A worker as a process.</summary>
internal static class WorkerProgram
{
    /// <summary>Serves until cancelled, and stops in order.</summary>
    /// <param name="options">Options, not yet validated.</param>
    /// <param name="join">The swarm that says what to load; null: the options do.</param>
    /// <param name="stop">Asks to stop.</param>
    public static Task<int> RunAsync(WorkerOptions options, JoinSettings? join, CancellationToken stop) =>
        join is null ? RunAloneAsync(options, stop) : JoinedWorker.RunAsync(join, Console.Out, Console.Error, stop);

    private static async Task<int> RunAloneAsync(WorkerOptions options, CancellationToken stop)
    {
        OptionsException.ThrowIfAny([.. options.Validate(), .. options.ValidateExposure(hasCredentials: false)]); // before gigabytes are read
        await using var status = await StatusServer.StartAsync(options.Status, stop);
        await using var shards = new ShardHost(options, new TokenSamplerFactory());
        if (ShardRequest.First(options) is { } first)
        {
            await shards.LoadAsync(first, progress: null, stop);
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime().AddWorker(options, shards);

        await using var app = builder.Build();
        app.MapWorker();
        status?.Watch(() => app.Services.GetRequiredService<WorkerState>().IsDraining ? "It is stopping."
            : options.NoModel || shards.Serving.Length > 0 ? null
            : "It serves nothing.");
        return await app.RunServiceAsync("worker", Console.Out, stop);
    }
}
