using Parallax.Hosting;
using Parallax.Hosting.Lifetime;
using Parallax.Runtime.Sampling;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Worker.Gpu;

/// <summary>A worker as a process.</summary>
internal static class WorkerProgram
{
    /// <summary>Loads what the options name, serves until cancelled, and stops in order.</summary>
    public static async Task<int> RunAsync(WorkerOptions options, CancellationToken stop)
    {
        OptionsException.ThrowIfAny([.. options.Validate(), .. options.ValidateExposure(hasCredentials: false)]); // before gigabytes are read
        await using var shards = new ShardHost(options, new TokenSamplerFactory());
        if (ShardRequest.First(options) is { } first)
        {
            await shards.LoadAsync(first, progress: null, stop);
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime().AddWorker(options, shards);

        await using var app = builder.Build();
        app.MapWorker();
        return await app.RunServiceAsync("worker", Console.Out, stop);
    }
}
