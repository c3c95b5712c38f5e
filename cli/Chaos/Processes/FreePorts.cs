using System.Net;
using System.Net.Sockets;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>
/// Ports for processes that are killed and come back at the same one. They lie below those that systems give to outgoing
/// connections, so that nobody's connection takes one while its process is away.
/// </summary>
internal static class FreePorts
{
    private const int First = 15_000;
    private const int Count = 15_000;
    private static int _given;

    /// <summary>Ports that are free now and were not given before.</summary>
    /// <exception cref="ChaosException">There are not so many.</exception>
    public static IReadOnlyList<int> Take(int count)
    {
        var ports = new List<int>();
        // Two such programs at once look from different places on.
        var offset = Environment.ProcessId * 61 % Count;
        for (var tried = 0; ports.Count < count; tried++)
        {
            if (tried == Count)
            {
                throw new ChaosException($"There are no {count} free ports from {First} to {First + Count - 1}.");
            }

            var port = First + ((offset + Interlocked.Increment(ref _given)) % Count);
            if (IsFree(port))
            {
                ports.Add(port);
            }
        }

        return ports;
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
