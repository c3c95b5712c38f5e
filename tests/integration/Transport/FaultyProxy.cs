using System.Net;
using System.Net.Sockets;

namespace Parallax.IntegrationTests.Transport;

/// <summary>A TCP relay that can cut, hold back and corrupt what passes.</summary>
internal sealed class FaultyProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new(); // guards _sockets
    private readonly List<Socket> _sockets = [];
    private readonly int _target;
    private readonly Task _accepting;
    private volatile TaskCompletionSource? _hold;
    private volatile bool _isDown;
    private int _corrupt;
    private int _refused;

    public FaultyProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Resets every connection.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            foreach (var socket in _sockets)
            {
                socket.Close(0);
            }

            _sockets.Clear();
        }
    }

    /// <summary>Whether connections are refused: those that are there are reset, and new ones at once.</summary>
    public bool IsDown
    {
        get => _isDown;
        set
        {
            _isDown = value;
            if (value)
            {
                Cut();
            }
        }
    }

    /// <summary>Connections refused because it is down.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>Flips a bit in the next <paramref name="chunks"/> chunks that pass.</summary>
    public void Corrupt(int chunks) => Interlocked.Exchange(ref _corrupt, chunks);

    /// <summary>Lets nothing pass, and closes nothing.</summary>
    public void Freeze() => _hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw()
    {
        _hold?.TrySetResult();
        _hold = null;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Thaw();
        _listener.Stop();
        Cut();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                if (_isDown)
                {
                    Interlocked.Increment(ref _refused);
                    client.Client.Close(0);
                    continue;
                }

                var server = new TcpClient { NoDelay = true };
                client.NoDelay = true;
                try
                {
                    await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                }
                catch (SocketException)
                {
                    // Nobody listens there now: the client sees its connection reset.
                    server.Dispose();
                    client.Client.Close(0);
                    continue;
                }

                lock (_lock)
                {
                    _sockets.AddRange([client.Client, server.Client]);
                }

                relays.Add(RelayAsync(client, server));
                relays.Add(RelayAsync(server, client));
            }
        }
        finally
        {
            Cut();
            await Task.WhenAll(relays).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RelayAsync(TcpClient from, TcpClient to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            var (source, target) = (from.GetStream(), to.GetStream());
            int read;
            while ((read = await source.ReadAsync(buffer, _stop.Token)) > 0)
            {
                if (_hold is { } hold)
                {
                    await hold.Task;
                }

                // Deep in a large chunk lies a frame's tensor, not HTTP/2's own framing.
                if (read > 4096 && Interlocked.Decrement(ref _corrupt) >= 0)
                {
                    buffer[read / 2] ^= 0x10;
                }

                await target.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // Cut: both sides go.
        }

        from.Close();
        to.Close();
    }
}
