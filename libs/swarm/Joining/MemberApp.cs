using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Swarm.Hosting;
using Parallax.Swarm.Members;
using Parallax.Swarm.Telemetry;

namespace Parallax.Swarm.Joining;

/// <summary>
/// A process that is a member of a swarm and no worker: a router, a scheduler, or who holds the swarm's key. It takes part in
/// the overlay, on a port of its own.
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

    /// <summary>Its NATS; null where there is none. Disposed with this.</summary>
    public NatsTelemetry? News => _news;

    /// <summary>Its state folder, which no other process has while this one runs.</summary>
    public string Folder => _folder.Path;

    /// <summary>Services of its host.</summary>
    public IServiceProvider Services => _app!.Services;

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

    /// <summary>Founds a swarm, or goes on with the one that the state folder holds: admits members, and keeps token files good.</summary>
    /// <exception cref="Parallax.Runtime.ParallaxException">The folder, a file or an address cannot be used.</exception>
    public static async Task<MemberApp> FoundAsync(FoundSwarm found, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(found);
        var member = new MemberApp(MemberFolder.Take(found.State ?? StateFolder.DefaultPath));
        try
        {
            await member.FoundCoreAsync(found, stop);
            return member;
        }
        catch
        {
            await member.DisposeAsync();
            throw;
        }
    }

    /// <summary>Why somebody who is to join could not; null when nothing is known of. Of who holds the swarm's key only.</summary>
    public string? TokenProblem => Services.GetService<TokenWriter>()?.Problem;

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
        await HostAsync(
            join.Listen ?? new IPEndPoint(MemberEntry.DefaultBind(join.Bootstrap), 0),
            new MemberSetup
            {
                Credentials = credentials,
                Incarnation = MemberIncarnation.Now(TimeProvider.System),
                Bootstrap = [join.Bootstrap],
                Advertise = join.Advertise,
                News = _news,
                Folder = _folder.State,
            },
            add,
            map,
            stop);
    }

    private async Task FoundCoreAsync(FoundSwarm found, CancellationToken stop)
    {
        var authority = await SwarmAuthority.OpenOrFoundAsync(_folder.State, TimeProvider.System, stop);
        _owned.Insert(0, authority);
        var key = _folder.State.LoadOrCreatePeerKey();
        _owned.Insert(0, key);
        var credentials = authority.CreateCredentials(key, MemberRoles.Admin);
        _owned.Insert(0, credentials);
        _folder.State.Save(credentials);
        var tokens = new TokenWriter(authority, key.Id, found, TimeProvider.System, _loggers.CreateLogger<TokenWriter>());
        await tokens.WriteAsync(stop);
        await HostAsync(
            found.Listen,
            new MemberSetup
            {
                Credentials = credentials,
                Incarnation = MemberIncarnation.Now(TimeProvider.System),
                Advertise = found.Advertise,
                Authority = authority,
                Folder = _folder.State,
            },
            (builder, _) =>
            {
                builder.Services.AddSingleton(tokens);
                builder.Services.AddHostedService(static provider => provider.GetRequiredService<TokenWriter>());
            },
            map: null,
            stop);
    }

    private async Task HostAsync(
        IPEndPoint listen, MemberSetup setup, Action<WebApplicationBuilder, SwarmCredentials>? add, Action<WebApplication>? map, CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        builder.Listen(listen.Address, listen.Port, HttpProtocols.Http2, setup.Credentials);
        builder.AddSwarmMember(setup);
        add?.Invoke(builder, setup.Credentials);
        _app = builder.Build();
        _app.MapSwarmMember();
        map?.Invoke(_app);
        await _app.StartAsync(stop);
        await _app.Services.GetRequiredService<MemberStart>().JoinAsync(_app.ListeningAddress(), stop);
        _folder.WriteAddress(MemberFolder.Local(_app.ListeningAddress()));
    }
}
