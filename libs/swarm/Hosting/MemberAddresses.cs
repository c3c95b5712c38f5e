using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Parallax.Swarm.Hosting;

/// <summary>Where this machine may be dialled.</summary>
internal static class MemberAddresses
{
    /// <summary>
    /// Addresses to try, best first: what the user says and nothing else; else the one address it listens at; else those of
    /// the interfaces that are up, the one towards the bootstrap peer first, loopback last.
    /// </summary>
    /// <param name="advertise">What the user says.</param>
    /// <param name="listening">Where the server listens.</param>
    /// <param name="bootstrap">A peer that is dialled; null for none.</param>
    public static IReadOnlyList<Uri> Candidates(IReadOnlyList<Uri> advertise, Uri listening, Uri? bootstrap)
    {
        if (advertise.Count > 0)
        {
            return advertise;
        }

        var host = listening.Host.Trim('[', ']');
        if (IPAddress.TryParse(host, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
        {
            return [listening];
        }

        var wanted = new List<IPAddress>();
        if (bootstrap is not null && Towards(bootstrap) is { } outgoing)
        {
            wanted.Add(outgoing);
        }

        wanted.AddRange(NetworkInterface.GetAllNetworkInterfaces()
            .Where(static card => card.OperationalStatus == OperationalStatus.Up)
            .SelectMany(static card => card.GetIPProperties().UnicastAddresses)
            .Select(static unicast => unicast.Address)
            .Where(static one => one.AddressFamily == AddressFamily.InterNetwork)
            .OrderBy(static one => IPAddress.IsLoopback(one)));
        return [.. wanted.Distinct().Select(one => Of(listening, one))];
    }

    /// <summary>An address with another host.</summary>
    public static Uri Of(Uri listening, IPAddress host) => new($"{listening.Scheme}://{(host.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{host}]" : host)}:{listening.Port}");

    /// <summary>This machine's address on the way to another: connecting a datagram socket sends nothing.</summary>
    private static IPAddress? Towards(Uri other)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(other.DnsSafeHost, other.Port);
            return (socket.LocalEndPoint as IPEndPoint)?.Address;
        }
        catch (SocketException)
        {
            return null; // no route, or a name that is not known: the interfaces' addresses are tried as they are
        }
    }
}
