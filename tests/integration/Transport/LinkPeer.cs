using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;
using Parallax.Transport.Liveness;

namespace Parallax.IntegrationTests.Transport;

internal sealed record LinkUp(Link Link, long Generation);

internal sealed record LinkDown(Link Link, long Generation, LinkDownReason Reason);

/// <summary>One peer of a test: a Kestrel host with a hub, and what its handler was told.</summary>
internal sealed class LinkPeer : ILinkHandler, IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _isDisposed;

    private LinkPeer(string id, Action<LinkOptions>? configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.UseTransportLimits();
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddSingleton<ILinkHandler>(this);
        builder.Services.AddKeyedSingleton<Func<long>>(TransportExtensions.ProgressKey, (_, _) => () => 42);
        builder.Services.AddTransport(options =>
        {
            options.PeerId = id;
            options.Incarnation = 1;
            options.LongestRetry = TimeSpan.FromMilliseconds(200);
            options.BreakDuration = TimeSpan.FromMilliseconds(500);
            configure?.Invoke(options);
        });
        _app = builder.Build();
        _app.MapTransport();
    }

    public Channel<LinkUp> Ups { get; } = Channel.CreateUnbounded<LinkUp>();

    public Channel<LinkDown> Downs { get; } = Channel.CreateUnbounded<LinkDown>();

    public Channel<string> Unreachables { get; } = Channel.CreateUnbounded<string>();

    public ConcurrentQueue<PeerLiveness> Liveness { get; } = [];

    public Action<Link, long, TensorBuffer, FrameHeader> FrameHandler { get; set; } = (_, _, frame, _) => frame.Dispose();

    public Action<Link, long> ConnectedHandler { get; set; } = (_, _) => { };

    public Action<Link, long> DisconnectedHandler { get; set; } = (_, _) => { };

    public Action UnreachableHandler { get; set; } = () => { };

    public LinkHub Hub => _app.Services.GetRequiredService<LinkHub>();

    public Uri Address { get; private set; } = null!;

    public static async Task<LinkPeer> StartAsync(string id, Action<LinkOptions>? configure = null)
    {
        var peer = new LinkPeer(id, configure);
        await peer._app.StartAsync(TestContext.Current.CancellationToken);
        peer.Address = new Uri(peer._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return peer;
    }

    public ValueTask<LinkUp> UpAsync() => Ups.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public ValueTask<LinkDown> DownAsync() => Downs.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public void OnConnected(Link link, long generation, HelloFrame peer)
    {
        ConnectedHandler(link, generation);
        Ups.Writer.TryWrite(new LinkUp(link, generation));
    }

    public void OnFrame(Link link, long generation, TensorBuffer frame, in FrameHeader header) =>
        FrameHandler(link, generation, frame, header);

    public void OnDisconnected(Link link, long generation, LinkDownReason reason)
    {
        DisconnectedHandler(link, generation);
        Downs.Writer.TryWrite(new LinkDown(link, generation, reason));
    }

    public ValueTask<string> UnreachableAsync() => Unreachables.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public void OnUnreachable(Link link, string why)
    {
        Unreachables.Writer.TryWrite(why);
        UnreachableHandler();
    }

    public void OnLiveness(Link link, PeerLiveness liveness) => Liveness.Enqueue(liveness);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            await Hub.DisposeAsync();
            await _app.DisposeAsync();
        }
    }
}
