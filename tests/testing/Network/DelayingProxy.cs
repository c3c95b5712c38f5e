using System.Net;
using System.Net.Sockets;

namespace Parallax.Testing.Network;

/// <summary>
/// A TCP relay to a port of this machine that behaves like a longer and narrower link: every byte is delayed, the rate
/// is limited, order is kept and nothing is lost. Memory is bounded; beyond it the sender is pushed back.
/// </summary>
internal sealed class DelayingProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Lock _lock = new(); // guards _directions, _shape and _closed
    private readonly List<DelayedDirection> _directions = [];
    private readonly int _target;
    private LinkShape _shape;
    private bool _closed;

    public DelayingProxy(int targetPort, LinkShape? shape = null)
    {
        (_target, _shape) = (targetPort, shape ?? LinkShape.None);
        _listener.Start();
        new Thread(Accept) { IsBackground = true, Name = "proxy accept" }.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Address => new($"http://127.0.0.1:{Port}");

    /// <summary>How both directions behave, for all connections, from now on.</summary>
    public LinkShape Shape
    {
        get
        {
            lock (_lock)
            {
                return _shape;
            }
        }

        set
        {
            lock (_lock)
            {
                _shape = value;
                _directions.ForEach(direction => direction.Reshape(value));
            }
        }
    }

    /// <summary>Bytes on their way now.</summary>
    public long BytesInside
    {
        get
        {
            lock (_lock)
            {
                return _directions.Sum(static direction => direction.Bytes);
            }
        }
    }

    public void Dispose()
    {
        _listener.Stop();
        lock (_lock)
        {
            _closed = true;
            _directions.ForEach(static direction => direction.Close());
        }
    }

    private void Accept()
    {
        while (true)
        {
            Socket client;
            var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                client = _listener.AcceptSocket();
            }
            catch (Exception error) when (error is SocketException or InvalidOperationException or ObjectDisposedException)
            {
                server.Dispose();
                return; // disposed
            }

            try
            {
                server.Connect(IPAddress.Loopback, _target);
            }
            catch (SocketException)
            {
                // Nobody listens there (yet): the caller sees a connection that ends, as through any relay.
                client.Dispose();
                server.Dispose();
                continue;
            }

            (client.NoDelay, server.NoDelay) = (true, true);
            lock (_lock)
            {
                _directions.RemoveAll(static direction => direction.IsOver);
                _directions.Add(new DelayedDirection(client, server, _shape));
                _directions.Add(new DelayedDirection(server, client, _shape));
                if (_closed)
                {
                    _directions.ForEach(static direction => direction.Close());
                }
            }
        }
    }
}
