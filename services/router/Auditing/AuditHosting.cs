using Microsoft.Extensions.DependencyInjection.Extensions;
using Parallax.Audit.Index;
using Parallax.Audit.Log;
using Parallax.Audit.Outbox;
using Parallax.Bus;
using Parallax.Bus.Audit;
using Parallax.Bus.Commands;
using Parallax.Identity;

namespace Parallax.Router.Auditing;

/// <summary>Puts the audit into a router's host.</summary>
internal static class AuditHosting
{
    /// <summary>
    /// Adds the local log and what hands its events on: an <see cref="IAuditTransport"/> that the host registers (a bus), else
    /// straight into the event store.
    /// </summary>
    /// <param name="builder">The router's.</param>
    /// <param name="audit">What is kept; null: nothing.</param>
    /// <param name="credentials">Of a member that keeps its key, which then signs; null: the log has a key of its own.</param>
    public static void AddAudit(this WebApplicationBuilder builder, RouterAudit? audit, SwarmCredentials? credentials)
    {
        var services = builder.Services;
        if (audit is null)
        {
            services.AddSingleton<IAuditLog>(static provider => new NoAuditLog(provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton(static provider => new PreviousSegments(provider.GetRequiredService<IAuditLog>(), null));
            return;
        }

        services.AddSingleton(provider => Open(audit, credentials, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IAuditLog>(static provider => provider.GetRequiredService<AuditLog>());
        services.TryAddSingleton(provider => RouterAudit.OpenStore(audit.Store, provider));
        if (audit.Bus is { } bus)
        {
            services.AddParallaxBus(BusOptions.Parse(bus)).AddBusAuditTransport().AddCommandClient();
        }

        services.TryAddSingleton<IAuditTransport, StoreAuditTransport>();
        services.AddHostedService<AuditShipper>();
        services.AddSingleton(static provider => AuditIndex.Open(Path.Combine(provider.GetRequiredService<AuditLog>().Folder, "index.db")));
        services.AddSingleton<AuditReader>();
        services.AddHostedService<AuditIndexService>();
        services.AddSingleton(static provider => new PreviousSegments(provider.GetRequiredService<IAuditLog>(), provider.GetRequiredService<AuditReader>()));
    }

    private static AuditLog Open(RouterAudit audit, SwarmCredentials? credentials, TimeProvider clock) =>
        credentials is not null && audit.Folder is { } folder
            ? AuditLog.Open(audit.ToLog(folder), new AuditWriterIdentity(credentials.Key, credentials.Certificate) { Authority = credentials.AuthorityCertificate }, clock)
            : AuditLog.OpenFirstFree(audit.Folder ?? Path.Combine(RouterAudit.DefaultRoot, "logs"), audit.ToLog(""), clock);
}
