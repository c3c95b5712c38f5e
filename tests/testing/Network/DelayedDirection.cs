using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Parallax.Testing.Network;

/// <summary>
/// One direction of a proxied connection: a thread that reads and one that writes when the time has come. Threads and
/// not tasks, because timers are exact to a millisecond only and a link of 5 ms would become one of 7.
/// </summary>
internal sealed partial class DelayedDirection
{
    private readonly DelayLine _line = new();
    private readonly object _monitor = new(); // guards _line, _ended and _closed; pulsed at every change
    private readonly Socket _from;
    private readonly Socket _to;
    private bool _ended;
    private bool _closed;

    public DelayedDirection(Socket from, Socket to, LinkShape shape)
    {
        (_from, _to, _line.Shape) = (from, to, shape);
        new Thread(Read) { IsBackground = true, Name = "proxy read" }.Start();
        new Thread(Write) { IsBackground = true, Name = "proxy write" }.Start();
    }

    public bool IsOver
    {
        get
        {
            lock (_monitor)
            {
                return _closed;
            }
        }
    }

    public long Bytes
    {
        get
        {
            lock (_monitor)
            {
                return _line.Bytes;
            }
        }
    }

    private static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    public void Reshape(LinkShape shape)
    {
        lock (_monitor)
        {
            _line.Shape = shape;
            Monitor.PulseAll(_monitor);
        }
    }

    /// <summary>Resets both ends.</summary>
    public void Close()
    {
        lock (_monitor)
        {
            _closed = true;
            Monitor.PulseAll(_monitor);
        }

        _from.Close(0);
        _to.Close(0);
    }

    private void Read()
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (WaitForRoom())
            {
                var read = _from.Receive(buffer);
                lock (_monitor)
                {
                    _ended = read == 0;
                    if (read > 0)
                    {
                        _line.Add(buffer.AsSpan(0, read), Now);
                    }

                    Monitor.PulseAll(_monitor);
                }

                if (read == 0)
                {
                    return;
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            Close();
        }
    }

    private void Write()
    {
        try
        {
            while (WaitForChunk() is { } due)
            {
                SleepUntil(due);
                byte[] bytes;
                lock (_monitor)
                {
                    _line.TryTake(due, out bytes);
                    Monitor.PulseAll(_monitor);
                }

                _to.Send(bytes); // blocking: all of it
            }

            _to.Shutdown(SocketShutdown.Send);
            lock (_monitor)
            {
                _closed = true;
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            Close();
        }
    }

    private bool WaitForRoom()
    {
        lock (_monitor)
        {
            while (!_line.HasRoom && !_closed)
            {
                Monitor.Wait(_monitor);
            }

            return !_closed;
        }
    }

    // Null when no chunk comes any more.
    private TimeSpan? WaitForChunk()
    {
        lock (_monitor)
        {
            while (_line.NextDue is null && !_ended && !_closed)
            {
                Monitor.Wait(_monitor);
            }

            return _closed ? null : _line.NextDue;
        }
    }

    private void SleepUntil(TimeSpan due)
    {
        // In slices, so that a closed connection does not keep its thread.
        for (var left = due - Now; left > TimeSpan.Zero && !IsOver; left = due - Now)
        {
            if (OperatingSystem.IsWindows())
            {
                using var never = new ManualResetEventSlim();
                never.Wait(TimeSpan.FromMilliseconds(Math.Clamp(left.TotalMilliseconds, 1, 900)));
            }
            else
            {
                _ = SleepMicroseconds((uint)Math.Clamp(left.TotalMicroseconds, 1, 900_000));
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "usleep")]
    private static partial int SleepMicroseconds(uint microseconds);
}
