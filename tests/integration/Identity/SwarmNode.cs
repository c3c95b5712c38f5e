using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Hosting.Http;
using Parallax.Identity;
using Parallax.Identity.Access;
using Parallax.Identity.Membership;
using Parallax.IntegrationTests.Services;
using Parallax.Transport.Links;
using Parallax.Worker.Gpu;

namespace Parallax.IntegrationTests.Identity;

/// <summary>A worker with credentials on a real port, as a member of a swarm has it, with a clear-text HTTP port beside it.</summary>
internal sealed class SwarmNode : IAsyncDisposable
{
    public const string WhoPath = "test/Who";

    private readonly WebApplication _app;

    private SwarmNode(SwarmCredentials credentials, MembershipOptions membership, TimeProvider clock)
    {
        Credentials = credentials;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(Log);
        builder.Services.AddSingleton(clock);
        builder.AddWorker(
            new WorkerOptions { Model = AppContext.BaseDirectory, Port = 0, DrainTime = TimeSpan.Zero }, new WorkerModel("demo", 2), Engine, credentials);
        builder.Listen(IPAddress.Loopback, 0, HttpProtocols.Http1AndHttp2);
        builder.Services.AddMembership(membership);
        builder.Services.AllowCalls(WhoPath, AccessRule.Members);
        _app = builder.Build();
        _app.MapWorker();
        _app.MapMembership();
        _app.MapGet(WhoPath, static context => context.Response.WriteAsync(
            SwarmCredentials.CallerOf(context)?.NotAfter.ToString("O", CultureInfo.InvariantCulture) ?? "nobody"));
        _app.MapGet("open", static () => "open");
    }

    public SwarmCredentials Credentials { get; }

    public ScriptedEngine Engine { get; } = new();

    public LogLines Log { get; } = new();

    public LinkHub Links => _app.Services.GetRequiredService<LinkHub>();

    public Uri Address { get; private set; } = null!;

    public Uri ClearAddress { get; private set; } = null!;

    public static async Task<SwarmNode> StartAsync(SwarmCredentials credentials, TimeProvider clock, MembershipOptions? membership = null)
    {
        var node = new SwarmNode(credentials, membership ?? new MembershipOptions(), clock);
        await node._app.StartAsync(TestContext.Current.CancellationToken);
        var addresses = node._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(static a => new Uri(a)).ToList();
        node.Address = addresses.Single(static address => address.Scheme == "https");
        node.ClearAddress = addresses.Single(static address => address.Scheme == "http");
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        await Engine.DisposeAsync();
    }
}
