using System.Net;
using System.Net.Sockets;

namespace Parallax.Cli.Chaos.Network;

/// <summary>A TCP relay to a port of this machine whose connections pass the gates of the two processes that they connect.</summary>
internal sealed class FaultRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new(); // guards _connections
    private readonly HashSet<RelayedConnection> _connections = [];
    private readonly FaultNetwork _network;
    private readonly string _target;
    private readonly int _targetPort;
    private readonly string? _dialler;
    private readonly Task _accepting;

    /// <param name="network">Has the gates.</param>
    /// <param name="target">The process behind.</param>
    /// <param name="targetPort">Where it listens.</param>
    /// <param name="dialler">Who dials; null: whoever the connection's Hello names.</param>
    public FaultRelay(FaultNetwork network, string target, int targetPort, string? dialler)
    {
        (_network, _target, _targetPort, _dialler) = (network, target, targetPort, dialler);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where to dial.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Resets the connections between two processes; those of which nobody knows yet who dialled go, too.</summary>
    /// <returns>How many.</returns>
    public int Cut(string one, string other)
    {
        if (_target != one && _target != other)
        {
            return 0;
        }

        List<RelayedConnection> found;
        lock (_lock)
        {
            found = [.. _connections.Where(connection => connection.Dialler is null || connection.Dialler == (_target == one ? other : one))];
        }

        found.ForEach(static connection => connection.Reset());
        return found.Count;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var running = new List<Task>();
        while (await TryAcceptAsync() is { } client)
        {
            var connection = new RelayedConnection(client, _dialler);
            lock (_lock)
            {
                _connections.Add(connection);
            }

            running.RemoveAll(static task => task.IsCompleted);
            running.Add(RunAsync(connection));
        }

        lock (_lock)
        {
            foreach (var connection in _connections)
            {
                connection.Reset();
            }
        }

        await Task.WhenAll(running);
    }

    /// <summary>Null when the relay stops.</summary>
    private async Task<Socket?> TryAcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                return await _listener.AcceptSocketAsync(_stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // The relay stops, or a caller was gone before it was accepted.
            }
        }

        return null;
    }

    private async Task RunAsync(RelayedConnection connection)
    {
        try
        {
            await connection.RunAsync(_targetPort, dialler => new RelaySide(_network.Between(dialler, _target), _network.Between(_target, dialler)), _stop.Token);
        }
        finally
        {
            lock (_lock)
            {
                _connections.Remove(connection);
            }

            connection.Dispose();
        }
    }
}
