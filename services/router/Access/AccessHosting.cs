using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Parallax.EventStore;
using Parallax.Router.Access.Gate;
using Parallax.Router.Access.Keys;
using Parallax.Router.Access.Quotas;
using Parallax.Router.Access.Tls;

namespace Parallax.Router.Access;

/// <summary>Puts access into a router's host.</summary>
internal static class AccessHosting
{
    /// <summary>
    /// Adds keys, quotas, TLS, and the addresses to listen on. Keys are in the host's <see cref="IEventStore"/>, which is the audit's
    /// where the host registers none.
    /// </summary>
    public static void AddAccess(this WebApplicationBuilder builder, RouterOptions options)
    {
        var (services, access) = (builder.Services, options.Access);
        services.AddSingleton(access);
        services.AddSingleton<KeyDirectory>();
        services.AddSingleton<KeyGate>();
        services.AddSingleton<QuotaLedger>();
        if (options.NeedsKeys)
        {
            var where = options.KeyStore;
            services.TryAddSingleton(provider => RouterAudit.OpenStore(where, provider));
            services.AddSingleton<OwnStreams>();
            services.AddHostedService(provider => ActivatorUtilities.CreateInstance<AccessFollower>(provider, EventStores.Describe(where)));
        }

        if (access.UsesTls)
        {
            services.AddSingleton<TlsCertificates>();
            services.AddHostedService(static provider => provider.GetRequiredService<TlsCertificates>());
        }

        builder.WebHost.ConfigureKestrel(server =>
        {
            server.AddServerHeader = false;
            var tls = access.UsesTls ? server.ApplicationServices.GetRequiredService<TlsCertificates>() : null;
            server.Listen(IPAddress.Parse(options.Bind), options.Port, endpoint => Secure(endpoint, tls));
            if (access.AdminListen is { } admin)
            {
                server.Listen(admin, endpoint =>
                {
                    endpoint.Use(static next => connection =>
                    {
                        connection.Features.Set(AdminConnection.Mark);
                        return next(connection);
                    });
                    Secure(endpoint, tls);
                });
            }
        });
    }

    /// <summary>Stands before all endpoints.</summary>
    /// <exception cref="TlsException">The certificate cannot be used.</exception>
    public static void UseAccess(this WebApplication app)
    {
        if (app.Services.GetRequiredService<RouterOptions>().Access.UsesTls)
        {
            _ = app.Services.GetRequiredService<TlsCertificates>(); // a certificate that cannot be used must fail the start with its own words
        }

        app.UseMiddleware<AccessGate>();
    }

    private static void Secure(ListenOptions endpoint, TlsCertificates? tls)
    {
        if (tls is not null)
        {
            tls.Secure(endpoint);
        }
        else
        {
            endpoint.Protocols = HttpProtocols.Http1;
        }
    }
}
