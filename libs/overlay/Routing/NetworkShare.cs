using System.Net;

namespace Parallax.Overlay.Routing;

/// <summary>
/// Which network an address belongs to, so that whoever has one network does not fill a bucket: the /24 of an IPv4
/// address, the /64 of an IPv6 address, the last two labels of a name. Pure.
/// </summary>
/// <param name="trusted">Networks whose peers count for none, loopback beside them.</param>
internal sealed class NetworkShare(IReadOnlyList<IPNetwork> trusted)
{
    /// <summary>The network of an address; null: it counts for none.</summary>
    public string? Of(Uri address)
    {
        if (!IPAddress.TryParse(address.IdnHost, out var ip))
        {
            return address.IsLoopback ? null : Domain(address.IdnHost);
        }

        ip = ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip;
        if (IPAddress.IsLoopback(ip) || trusted.Any(network => network.Contains(ip)))
        {
            return null;
        }

        var bytes = ip.GetAddressBytes();
        return Convert.ToHexString(bytes.AsSpan(0, bytes.Length == 4 ? 3 : 8));
    }

    // Names without a dot are those of one local network.
    private static string Domain(string host)
    {
        var labels = host.TrimEnd('.').Split('.');
        return labels.Length == 1 ? "." : string.Join('.', labels[^2..]).ToLowerInvariant();
    }
}
