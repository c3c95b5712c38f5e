using System.Net;
using Parallax.Hosting;

namespace Parallax.Swarm.Joining;

/// <summary>Addresses as people write them.</summary>
public static class MemberAddress
{
    /// <summary>A member's address from HOST:PORT, or https://HOST:PORT.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="option">Where, for the error.</param>
    /// <exception cref="OptionsException">It is none.</exception>
    public static Uri Parse(string text, string option)
    {
        var url = text.Contains("://", StringComparison.Ordinal) ? text : $"https://{text}";
        return Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps
            && address.AbsolutePath == "/" && !address.IsDefaultPort && address.UserInfo.Length == 0
                ? new Uri(address.GetLeftPart(UriPartial.Authority))
                : throw new OptionsException([$"{option}: '{text}' is no address; use HOST:PORT, e.g. 10.0.0.2:7100."]);
    }

    /// <summary>Where to listen, from ADDRESS:PORT.</summary>
    /// <exception cref="OptionsException">It is no IP address with a port.</exception>
    public static IPEndPoint ParseListen(string text, string option) =>
        text.LastIndexOf(':') > 0 && IPEndPoint.TryParse(text, out var point)
            ? point
            : throw new OptionsException([$"{option}: '{text}' is no address to listen on; use IP:PORT, e.g. 0.0.0.0:7100."]);
}
