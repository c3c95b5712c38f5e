using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.Hosting.Http;
using Parallax.Identity;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;
using Parallax.Transport.Liveness;

namespace Parallax.IntegrationTests.Identity;

/// <summary>A member with links and nothing else: says when one is up or down, and gives on the bytes that came.</summary>
internal sealed class SecureLinkPeer : ILinkHandler, IAsyncDisposable
{
    private readonly WebApplication _app;

    private SecureLinkPeer(SwarmCredentials credentials, TimeProvider clock)
    {
        Credentials = credentials;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(Log);
        builder.Services.AddSingleton(clock);
        builder.Listen(IPAddress.Loopback, 0, HttpProtocols.Http2, credentials);
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.UseTransportLimits());
        builder.Services.AddSingleton<ILinkHandler>(this);
        builder.Services.AddSingleton(new LinkSecurity(credentials.CreateWorkerHandler, SwarmCredentials.CallerIdOf));
        builder.Services.AddTransport(options =>
        {
            options.PeerId = credentials.Self.ToString();
            options.Incarnation = 1;
            options.LongestRetry = TimeSpan.FromMilliseconds(200);
            options.HeartbeatPeriod = TimeSpan.FromSeconds(5); // a test that stands still for a second is not dead
        });
        _app = builder.Build();
        _app.MapTransport();
    }

    public SwarmCredentials Credentials { get; }

    public LogLines Log { get; } = new();

    public Channel<(Link Link, long Generation)> Ups { get; } = Channel.CreateUnbounded<(Link, long)>();

    public Channel<LinkDownReason> Downs { get; } = Channel.CreateUnbounded<LinkDownReason>();

    public Channel<byte> Frames { get; } = Channel.CreateUnbounded<byte>();

    public string Id => Credentials.Self.ToString();

    public LinkHub Hub => _app.Services.GetRequiredService<LinkHub>();

    public Uri Address { get; private set; } = null!;

    public static async Task<SecureLinkPeer> StartAsync(SwarmCredentials credentials, TimeProvider clock)
    {
        var peer = new SecureLinkPeer(credentials, clock);
        await peer._app.StartAsync(TestContext.Current.CancellationToken);
        peer.Address = peer._app.ListeningAddress();
        return peer;
    }

    public void OnConnected(Link link, long generation, HelloFrame peer) => Ups.Writer.TryWrite((link, generation));

    public void OnFrame(Link link, long generation, TensorBuffer frame, in FrameHeader header)
    {
        var reader = new RowFrameReader(frame.Span, header);
        Frames.Writer.TryWrite(reader.MoveNext() ? reader.Current.Row(0)[0] : byte.MaxValue);
        frame.Dispose();
    }

    public void OnDisconnected(Link link, long generation, LinkDownReason reason) => Downs.Writer.TryWrite(reason);

    public void OnLiveness(Link link, PeerLiveness liveness)
    {
        // Says nothing about who is who.
    }

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        await _app.DisposeAsync();
    }
}
