using System.Net;
using System.Net.Sockets;
using Parallax.Cli.Chaos.Network;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;

namespace Parallax.IntegrationTests.Failover;

/// <summary>The network that chaos breaks: what passes, what waits, what is cut.</summary>
public sealed class FaultNetworkTests : IAsyncLifetime
{
    private readonly FaultNetwork _network = new();
    private readonly TcpListener _target = new(IPAddress.Loopback, 0);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _target.Start();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _network.DisposeAsync();
        _target.Dispose();
    }

    [Fact]
    public async Task Hold_OneWay_StopsThatWayAloneAndLosesNothing()
    {
        using var pair = await ConnectAsync("router0");
        _network.Between("router0", "w1").Hold();
        await pair.Client.SendAsync(new byte[] { 1, 2 }, Token);
        await pair.Server.SendAsync(new byte[] { 7 }, Token);
        Assert.Equal([7], await ReceiveAsync(pair.Client, 1)); // the other way is open
        Assert.Equal(0, pair.Server.Available);

        _network.Between("router0", "w1").Release();
        Assert.Equal([1, 2], await ReceiveAsync(pair.Server, 2));
    }

    [Fact]
    public async Task Close_BehindAClosedGate_IsHeardOfWhenItOpens()
    {
        using var pair = await ConnectAsync("router0");
        _network.Between("router0", "w1").Hold();
        pair.Client.Shutdown(SocketShutdown.Send);
        var end = pair.Server.ReceiveAsync(new byte[1], Token).AsTask();
        Assert.False(end.IsCompleted);

        _network.Between("router0", "w1").Release();
        Assert.Equal(0, await end);
    }

    [Fact]
    public async Task Corrupt_OneChunk_FlipsOneBit()
    {
        using var pair = await ConnectAsync("router0");
        _network.Between("router0", "w1").Corrupt(1);
        var sent = new byte[100];
        await pair.Client.SendAsync(sent, Token);
        var flipped = (await ReceiveAsync(pair.Server, 100)).Where(static value => value != 0).ToArray();
        Assert.Equal(1, int.PopCount(Assert.Single(flipped)));

        await pair.Client.SendAsync(sent, Token);
        Assert.Equal(sent, await ReceiveAsync(pair.Server, 100));
    }

    [Fact]
    public async Task Cut_Link_GoesByWhoSaidHello()
    {
        using var pair = await ConnectAsync(dialler: null);
        await pair.Client.SendAsync(Hello("w0"), Token);
        Assert.Equal(Hello("w0"), await ReceiveAsync(pair.Server, Hello("w0").Length));
        Assert.Equal(0, _network.Cut("w2", "w1"));
        Assert.Equal(0, _network.Cut("w0", "w2"));
        Assert.Equal(1, _network.Cut("w0", "w1"));
        await Assert.ThrowsAnyAsync<SocketException>(async () => await ReceiveAsync(pair.Client, 1));
    }

    [Fact]
    public async Task Connection_ToNobody_Ends()
    {
        var port = _network.AddRelay("w1", ((IPEndPoint)_target.LocalEndpoint).Port, "router0");
        _target.Stop();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var end = await Record.ExceptionAsync(async () =>
        {
            await client.ConnectAsync(IPAddress.Loopback, port, Token); // the reset may come as early as that
            Assert.Equal(0, await client.ReceiveAsync(new byte[1], Token));
        });
        Assert.True(end is null or SocketException, $"{end}");
    }

    private static byte[] Hello(string id)
    {
        using var frame = HelloFrame.Create(id, incarnation: 7).ToFrame(TensorBufferPool.Shared);
        FrameHeader.Seal(frame.Span, 1);
        return frame.Span.ToArray();
    }

    private static async Task<byte[]> ReceiveAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var filled = 0; filled < count;)
        {
            var read = await socket.ReceiveAsync(bytes.AsMemory(filled), Token);
            Assert.NotEqual(0, read);
            filled += read;
        }

        return bytes;
    }

    /// <summary>A connection through a relay. Where a Hello has to come first, the target is reached once it has.</summary>
    private async Task<Pair> ConnectAsync(string? dialler)
    {
        var target = ((IPEndPoint)_target.LocalEndpoint).Port;
        var port = dialler is null ? _network.AddLinkRelay("w1", target) : _network.AddRelay("w1", target, dialler);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, port, Token);
        return new Pair(client, dialler is null ? null : await _target.AcceptSocketAsync(Token), _target);
    }

    private sealed class Pair(Socket client, Socket? server, TcpListener target) : IDisposable
    {
        private Socket? _server = server;

        public Socket Client => client;

        public Socket Server => _server ??= target.AcceptSocket();

        public void Dispose()
        {
            client.Dispose();
            _server?.Dispose();
        }
    }
}
