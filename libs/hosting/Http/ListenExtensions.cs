using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Parallax.Hosting.Http;

/// <summary>Where a service listens.</summary>
public static class ListenExtensions
{
    /// <summary>Listens on one address with HTTP/1.1 (API) or clear-text HTTP/2 (gRPC). Port 0 takes any free one.</summary>
    public static void Listen(this WebApplicationBuilder builder, IPAddress address, int port, HttpProtocols protocols)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.WebHost.ConfigureKestrel(server =>
        {
            server.AddServerHeader = false;
            server.Listen(address, port, endpoint => endpoint.Protocols = protocols);
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
