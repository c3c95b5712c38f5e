using System.Diagnostics.CodeAnalysis;
using Parallax.Hosting.Http;

namespace Parallax.Cli.Run;

/// <summary>The API that this process serves itself.</summary>
internal static class OwnApi
{
    /// <summary>
    /// A client to ask whether it is ready. Whoever listens there is this process, and what is asked is no secret: its certificate, which
    /// may be for a name that other machines know, is not checked.
    /// </summary>
    [SuppressMessage("Security", "CA5359", Justification = "It asks this very process whether it is ready.")]
    public static HttpClient Connect(Uri listening) => new(
        new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = static (_, _, _, _) => true } })
    {
        BaseAddress = LocalAddress.Of(listening),
    };
}
