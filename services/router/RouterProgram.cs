using Parallax.Hosting;
using Parallax.Hosting.Lifetime;

namespace Parallax.Router;

/// <summary>A router as a process.</summary>
internal static class RouterProgram
{
    /// <summary>Serves a model's API until cancelled, and stops in order.</summary>
    public static async Task<int> RunAsync(string modelPath, RouterOptions options, CancellationToken stop)
    {
        OptionsException.ThrowIfAny(options.Validate());
        var model = RouterModel.Load(modelPath);

        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime().AddRouter(options, model);

        await using var app = builder.Build();
        app.MapRouter();
        return await app.RunServiceAsync("router", Console.Out, stop);
    }
}
