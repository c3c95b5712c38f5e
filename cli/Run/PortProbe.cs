using System.Net;
using System.Net.Sockets;

namespace Parallax.Cli.Run;

/// <summary>Looks whether an address can be had, so that a taken one is said before a model is loaded, not after.</summary>
internal static class PortProbe
{
    /// <exception cref="AddressTakenException">Somebody else listens there, or this machine has no such address.</exception>
    public static void ThrowIfTaken(string address, int port)
    {
        if (port == 0)
        {
            return;
        }

        using var probe = new TcpListener(IPAddress.Parse(address), port);
        try
        {
            probe.Start();
        }
        catch (SocketException e)
        {
            throw new AddressTakenException(Explain(address, port, e.SocketErrorCode), e);
        }
    }

    /// <summary>What is wrong with an address and what to do.</summary>
    public static string Explain(string address, int port, SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse => $"Port {port} on {address} is taken by another program; choose one with --port, or --port 0 for any free one.",
        SocketError.AccessDenied => $"Port {port} is reserved for the system's administrator; choose one above 1023 with --port.",
        SocketError.AddressNotAvailable => $"This machine has no address {address}; use --bind 127.0.0.1, or 0.0.0.0 for all of them.",
        _ => $"Cannot listen on {address}, port {port}: {error}.",
    };
}
