using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Parallax.Identity;
using Parallax.Identity.Access;

namespace Parallax.Hosting.Http;

/// <summary>Where a service listens.</summary>
public static class ListenExtensions
{
    private const int MaxSwarmConnections = 4096; // of which strangers may take any number, for the time of a handshake or an idle one

    /// <summary>
    /// Listens on one address with HTTP/1.1 (API) or HTTP/2 (gRPC): clear text, or with credentials mutual TLS and the gate
    /// before every call of the host. Port 0 takes any free one.
    /// </summary>
    public static void Listen(
        this WebApplicationBuilder builder, IPAddress address, int port, HttpProtocols protocols, SwarmCredentials? credentials = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (credentials is not null)
        {
            builder.Services.AddSwarmAccess(credentials);
        }

        builder.WebHost.ConfigureKestrel(server =>
        {
            server.AddServerHeader = false;
            if (credentials is not null)
            {
                server.Limits.MaxConcurrentConnections = MaxSwarmConnections;
            }

            server.Listen(address, port, endpoint =>
            {
                endpoint.Protocols = protocols;
                credentials?.Secure(endpoint);
            });
        });
    }

    /// <summary>The address a started application listens on, with the port it got.</summary>
    public static Uri ListeningAddress(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.Urls.Count > 0
            ? new Uri(app.Urls.First())
            : throw new InvalidOperationException("The application has not been started.");
    }
}
