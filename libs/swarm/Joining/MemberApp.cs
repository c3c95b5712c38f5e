using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.Identity;
using Parallax.Swarm.Hosting;
using Parallax.Swarm.Members;
using Parallax.Swarm.Telemetry;

namespace Parallax.Swarm.Joining;

/// <summary>
/// A process that is a member of a swarm and no worker: a router or a scheduler. It takes part in the overlay, on a port
/// of its own.
/// </summary>
public sealed class MemberApp : IAsyncDisposable
{
    private readonly MemberFolder _folder;
    private readonly ILoggerFactory _loggers = MemberLogging.Create();
    private readonly List<IDisposable> _owned = [];
    private NatsTelemetry? _news;
    private WebApplication? _app;

    private MemberApp(MemberFolder folder) => _folder = folder;

    /// <summary>Where other members dial it.</summary>
    public Uri Address => _app!.ListeningAddress();

    /// <summary>Where it keeps its state.</summary>
    public string Folder => _folder.Path;

    /// <summary>The member.</summary>
    public SwarmMember Member => _app!.Services.GetRequiredService<SwarmMember>();

    /// <summary>Who it is. Disposed with this.</summary>
    public SwarmCredentials Credentials => _app!.Services.GetRequiredService<SwarmCredentials>();

    /// <summary>Joins the swarm and starts to follow it.</summary>
    /// <param name="join">Which, and how.</param>
    /// <param name="add">Further services of the member's host.</param>
    /// <param name="map">Their calls.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="Parallax.Runtime.ParallaxException">It cannot be joined.</exception>
    public static async Task<MemberApp> StartAsync(
        JoinSwarm join, Action<WebApplicationBuilder, SwarmCredentials>? add, Action<WebApplication>? map, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(join);
        var member = new MemberApp(join.State is { } named ? MemberFolder.Take(named) : MemberFolder.TakeFor(join.Bootstrap));
        try
        {
            await member.StartCoreAsync(join, add, map, stop);
            return member;
        }
        catch
        {
            await member.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the host.</summary>
    public Task StopAsync() => _app!.StopAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        if (_news is not null)
        {
            await _news.DisposeAsync();
        }

        _owned.ForEach(static one => one.Dispose());
        _folder.Dispose();
        _loggers.Dispose();
    }

    private async Task StartCoreAsync(JoinSwarm join, Action<WebApplicationBuilder, SwarmCredentials>? add, Action<WebApplication>? map, CancellationToken stop)
    {
        var key = _folder.State.LoadOrCreatePeerKey();
        _owned.Insert(0, key);
        var credentials = await MemberEntry.EnterAsync(join.Bootstrap, join.Token, _folder.State, key, stop);
        _owned.Insert(0, credentials);
        _news = MemberNews.Open(join.Nats, credentials, _loggers);
        var listen = join.Listen ?? new IPEndPoint(MemberEntry.DefaultBind(join.Bootstrap), 0);
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        builder.Listen(listen.Address, listen.Port, HttpProtocols.Http2, credentials);
        builder.AddSwarmMember(new MemberSetup
        {
            Credentials = credentials,
            Incarnation = MemberIncarnation.Now(TimeProvider.System),
            Bootstrap = [join.Bootstrap],
            Advertise = join.Advertise,
            News = _news,
            Folder = _folder.State,
        });
        add?.Invoke(builder, credentials);
        _app = builder.Build();
        _app.MapSwarmMember();
        map?.Invoke(_app);
        await _app.StartAsync(stop);
        await _app.Services.GetRequiredService<MemberStart>().JoinAsync(_app.ListeningAddress(), stop);
        _folder.WriteAddress(MemberFolder.Local(_app.ListeningAddress()));
    }
}
