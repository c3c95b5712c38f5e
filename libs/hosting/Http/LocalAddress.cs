using System.Net;

namespace Parallax.Hosting.Http;

/// <summary>How to reach, from this machine, a server that listens on an address.</summary>
public static class LocalAddress
{
    /// <summary>An address that means "all of them" becomes loopback; others stay.</summary>
    public static Uri Of(Uri listening)
    {
        if (!IPAddress.TryParse(listening.Host.Trim('[', ']'), out var address))
        {
            return listening;
        }

        return address.Equals(IPAddress.Any) ? new UriBuilder(listening) { Host = "127.0.0.1" }.Uri
            : address.Equals(IPAddress.IPv6Any) ? new UriBuilder(listening) { Host = "[::1]" }.Uri
            : listening;
    }
}
