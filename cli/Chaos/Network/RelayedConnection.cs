using System.Net;
using System.Net.Sockets;

namespace Parallax.Cli.Chaos.Network;

/// <summary>
/// One connection through a relay. While a gate is closed its bytes stay where they are, and so does the news that a side
/// has closed; both arrive when it opens, as after a network that was cut. Memory is bounded by one chunk a direction.
/// </summary>
internal sealed class RelayedConnection(Socket client, string? dialler) : IDisposable
{
    private const int ChunkBytes = 16 * 1024;

    private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private volatile string? _dialler = dialler;

    /// <summary>Who has dialled; null while that is not known.</summary>
    public string? Dialler => _dialler;

    /// <summary>Resets both ends.</summary>
    public void Reset()
    {
        client.Close(0);
        _server.Close(0);
    }

    /// <inheritdoc/>
    public void Dispose() => Reset();

    /// <summary>Relays until both sides have ended, or one was reset.</summary>
    /// <param name="port">Where the target listens.</param>
    /// <param name="gatesOf">The gates between a dialler and the target.</param>
    /// <param name="stop">Resets it.</param>
    public async Task RunAsync(int port, Func<string, RelaySide> gatesOf, CancellationToken stop)
    {
        client.NoDelay = true;
        try
        {
            var head = new byte[ChunkBytes];
            var filled = 0;
            while (_dialler is null)
            {
                // Nothing is passed on before it is known whose connection it is: the Hello is in the first few hundred
                // bytes, and the dialling side waits for nothing before it says it.
                var read = await client.ReceiveAsync(head.AsMemory(filled), stop);
                filled += read;
                _dialler = HelloScan.Find(head.AsSpan(0, filled)) ?? (read == 0 || filled == head.Length ? "" : null);
            }

            var gates = gatesOf(_dialler);
            await gates.There.Open.WaitAsync(stop);
            await _server.ConnectAsync(IPAddress.Loopback, port, stop);
            await Task.WhenAll(
                PassAsync(client, _server, gates.There, head, filled, stop),
                PassAsync(_server, client, gates.Back, new byte[ChunkBytes], 0, stop));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One side has gone, nobody listens there, or the connection was cut: both ends are reset below.
        }

        Reset();
    }

    private async Task PassAsync(Socket from, Socket to, Gate gate, byte[] buffer, int filled, CancellationToken stop)
    {
        try
        {
            do
            {
                if (filled > 0)
                {
                    await gate.Open.WaitAsync(stop);
                    if (gate.TakeCorruption())
                    {
                        // Past HTTP/2's head of a frame where the chunk has more than that.
                        buffer[filled / 2] ^= 0x10;
                    }

                    for (var sent = 0; sent < filled;)
                    {
                        sent += await to.SendAsync(buffer.AsMemory(sent, filled - sent), stop);
                    }
                }

                filled = await from.ReceiveAsync(buffer, stop);
            }
            while (filled > 0);

            await gate.Open.WaitAsync(stop);
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            await gate.Open.WaitAsync(stop); // that the sender was reset is not known beyond a closed gate either
            Reset();
        }
    }
}
