using System.Net;
using System.Net.Sockets;
using Parallax.Testing.Network;

namespace Parallax.IntegrationTests.Network;

/// <summary>The relay with a delay, over real sockets; when bytes arrive is tested with its line, without a clock.</summary>
public sealed class DelayingProxyTests
{
    private const int Length = 3_000_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Relay_BothDirectionsWhileTheLinkChanges_EveryByteComesInOrder()
    {
        using var listener = Listen(out var port);
        using var proxy = new DelayingProxy(port, LinkShape.OfRoundTrip(4, megabitsPerSecond: 400));
        using var near = await ConnectAsync(proxy.Port);
        using var far = await listener.AcceptSocketAsync(Token);
        var (there, back) = (Bytes(seed: 1), Bytes(seed: 2));
        var sending = Task.WhenAll(SendAsync(near, there), SendAsync(far, back));
        var receiving = Task.WhenAll(ReceiveAsync(far), ReceiveAsync(near));
        proxy.Shape = LinkShape.OfRoundTrip(1);
        proxy.Shape = LinkShape.OfRoundTrip(2, megabitsPerSecond: 800);

        await sending.WaitAsync(TimeSpan.FromMinutes(1), Token);
        var received = await receiving.WaitAsync(TimeSpan.FromMinutes(1), Token);

        Assert.Equal(there, received[0]);
        Assert.Equal(back, received[1]);
    }

    [Fact]
    public async Task Relay_FarEndReadsNothing_HoldsNoMoreThanItsRoom()
    {
        using var listener = Listen(out var port);
        using var proxy = new DelayingProxy(port, new LinkShape(TimeSpan.FromHours(1), BytesPerSecond: 50)); // room: 256 KiB
        using var near = await ConnectAsync(proxy.Port);
        near.Blocking = false;
        var (sent, idle) = (0L, 0);
        while (idle < 20 || proxy.BytesInside < 256 * 1024)
        {
            // Until the sockets' own buffers are full, too.
            try
            {
                sent += near.Send(new byte[64 * 1024]);
                idle = 0;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock)
            {
                idle++;
                await Task.Delay(20, Token);
            }

            Assert.InRange(sent, 0, 64L << 20);
        }

        Assert.InRange(proxy.BytesInside, 256 * 1024, (256 + 16) * 1024);
    }

    [Fact]
    public async Task Dispose_OpenConnections_ResetsBothEnds()
    {
        using var listener = Listen(out var port);
        var proxy = new DelayingProxy(port);
        using var near = await ConnectAsync(proxy.Port);
        using var far = await listener.AcceptSocketAsync(Token);
        await near.SendAsync(new byte[1], Token);
        Assert.Equal(1, await far.ReceiveAsync(new byte[1], Token));

        proxy.Dispose();

        await AssertOverAsync(near);
        await AssertOverAsync(far);
    }

    private static async Task AssertOverAsync(Socket socket)
    {
        try
        {
            Assert.Equal(0, await socket.ReceiveAsync(new byte[1], Token));
        }
        catch (SocketException)
        {
            // A reset says the same.
        }
    }

    private static TcpListener Listen(out int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        return listener;
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, Token);
        return socket;
    }

    private static byte[] Bytes(int seed)
    {
        var bytes = new byte[Length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, Token)..];
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<byte[]> ReceiveAsync(Socket socket)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await socket.ReceiveAsync(buffer, Token)) > 0)
        {
            all.Write(buffer, 0, read);
        }

        return all.ToArray();
    }
}
