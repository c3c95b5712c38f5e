using Parallax.Hosting;
using Parallax.Hosting.Lifetime;
using Parallax.Identity;
using Parallax.Router.Routing;
using Parallax.Swarm.Joining;
using Parallax.Swarm.Telemetry;

namespace Parallax.Router;

/// <summary>A router as a process.</summary>
internal static class RouterProgram
{
    /// <summary>Serves a model's API until cancelled, and stops in order.</summary>
    /// <param name="modelPath">The model's folder or file.</param>
    /// <param name="options">Options, not yet validated.</param>
    /// <param name="join">The swarm whose workers it uses; null: those that the options name.</param>
    /// <param name="stop">Asks to stop.</param>
    public static async Task<int> RunAsync(string modelPath, RouterOptions options, JoinSwarm? join, CancellationToken stop)
    {
        OptionsException.ThrowIfAny(options.Validate());
        var model = RouterModel.Load(modelPath);
        if (join is null)
        {
            return await ServeAsync(model, options, null, null, null, stop);
        }

        await using var member = await MemberApp.StartAsync(join, add: null, map: null, stop);
        options = options with { Audit = RouterAudit.Within(options.Audit, member.Folder) };
        return await ServeAsync(model, options, new MemberView(member.Member, TimeProvider.System), member.News, member.Credentials, stop);
    }

    private static async Task<int> ServeAsync(
        RouterModel model, RouterOptions options, ISwarmView? swarm, IBlockNews? news, SwarmCredentials? credentials, CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        if (swarm is not null)
        {
            builder.Services.AddSingleton(swarm);
        }

        if (news is not null)
        {
            builder.Services.AddSingleton(news);
        }

        builder.AddRouter(options, model, credentials);
        await using var app = builder.Build();
        app.MapRouter();
        return await app.RunServiceAsync("router", Console.Out, stop);
    }
}
