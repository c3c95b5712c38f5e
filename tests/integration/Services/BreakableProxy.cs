using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Parallax.IntegrationTests.Services;

/// <summary>A TCP relay on loopback whose connections a test can cut, and whose door it can close.</summary>
internal sealed class BreakableProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, TcpClient> _pairs = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private volatile bool _closed;

    public BreakableProxy(Uri target)
    {
        Target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it leads; may change.</summary>
    public Uri Target { get; set; }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>While true, new connections are cut at once.</summary>
    public bool IsClosed
    {
        get => _closed;
        set => _closed = value;
    }

    /// <summary>Cuts all connections.</summary>
    public void Break()
    {
        foreach (var (client, server) in _pairs)
        {
            client.Close();
            server.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        Break();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
                if (_closed)
                {
                    client.Close();
                    continue;
                }

                relays.Add(RelayAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var server = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        _pairs[client] = server;
        try
        {
            await server.ConnectAsync(Target.Host, Target.Port);
            var (a, b) = (client.GetStream(), server.GetStream());
            await Task.WhenAny(a.CopyToAsync(b), b.CopyToAsync(a));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection ended; that is what the proxy is for.
        }
        finally
        {
            client.Close();
            _pairs.TryRemove(client, out _);
        }
    }
}
