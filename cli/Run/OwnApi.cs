using System.Diagnostics.CodeAnalysis;
using Parallax.Hosting.Http;

namespace Parallax.Cli.Run;

/// <summary>The API that this process serves itself.</summary>
internal static class OwnApi
{
    /// <summary>
    /// A client to ask whether it is ready. Whoever listens there is this process, and what is asked is no secret: any certificate will do,
    /// because it may be for a name that only other machines know it by.
    /// </summary>
    [SuppressMessage("Security", "CA5359", Justification = "It asks this very process whether it is ready.")]
    public static HttpClient Connect(Uri listening) => new(
        new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null } })
    {
        BaseAddress = LocalAddress.Of(listening),
    };
}
