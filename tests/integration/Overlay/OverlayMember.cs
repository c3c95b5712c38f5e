using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.Identifiers;
using Parallax.Identity;
using Parallax.Overlay;
using Parallax.Overlay.Node;
using Wire = Parallax.Contracts.V1;

namespace Parallax.IntegrationTests.Overlay;

/// <summary>A host with an overlay node in it, on a port of loopback.</summary>
internal sealed class OverlayMember : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly PeerKey _key;
    private readonly GrpcChannel _channel;

    private OverlayMember(WebApplication app, PeerKey key, Uri address)
    {
        (_app, _key, Address) = (app, key, address);
        Node = app.Services.GetRequiredService<OverlayNode>();
        _channel = GrpcChannel.ForAddress(address);
        Client = new Wire.Overlay.OverlayClient(_channel);
    }

    public Uri Address { get; }

    public OverlayNode Node { get; }

    /// <summary>Calls this member as anybody could.</summary>
    public Wire.Overlay.OverlayClient Client { get; }

    public PeerId Id => _key.Id;

    public static async Task<OverlayMember> StartAsync(
        IEnumerable<Uri> bootstrap, string? pem = null, long incarnation = 1, int port = 0, Action<OverlayOptions>? configure = null, bool isStarted = true)
    {
        var key = pem is null ? PeerKey.Create() : PeerKey.FromPem(pem);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, static listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton(key);
        builder.Services.AddOverlay((_, options) =>
        {
            options.Incarnation = incarnation;
            // Many tests on two cores: a call may have to wait for its turn.
            options.CallTimeout = TimeSpan.FromSeconds(5);
            foreach (var address in bootstrap)
            {
                options.Bootstrap.Add(address);
            }

            configure?.Invoke(options);
        });
        var app = builder.Build();
        app.MapOverlay();
        await app.StartAsync();
        var listening = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var member = new OverlayMember(app, key, new Uri(listening));
        if (isStarted)
        {
            member.Node.Start(member.Address);
        }

        return member;
    }

    /// <summary>Members that joined one after the other through the first.</summary>
    public static async Task<List<OverlayMember>> StartManyAsync(int count)
    {
        var members = new List<OverlayMember>();
        for (var i = 0; i < count; i++)
        {
            members.Add(await StartAsync(i == 0 ? [] : [members[0].Address]));
            await members[^1].Node.Joined.WaitAsync(TestContext.Current.CancellationToken);
        }

        return members;
    }

    /// <summary>The member as it names itself in a call.</summary>
    public static Wire.OverlayPeer Self(PeerId id) => new() { Id = Google.Protobuf.ByteString.CopyFrom(id.ToByteArray()) };

    public string ExportPem() => _key.ExportPem();

    public Task<int> PutAsync(OverlayKey key, byte[] value, TimeSpan lease) =>
        Node.PutAsync(Node.Seal(key, value, lease), TestContext.Current.CancellationToken);

    public async Task<Dictionary<PeerId, FoundRecord>> GetAsync(OverlayKey key) =>
        (await Node.GetAsync(key, TestContext.Current.CancellationToken)).ToDictionary(static record => record.Publisher);

    public static async Task<StatusCode> StatusOf(Task call)
    {
        try
        {
            await call;
            return StatusCode.OK;
        }
        catch (RpcException error)
        {
            return error.StatusCode;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _app.DisposeAsync(); // and with it the node
        _key.Dispose();
    }
}
