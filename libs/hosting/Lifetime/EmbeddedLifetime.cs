using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Parallax.Hosting.Lifetime;

/// <summary>
/// A lifetime that listens to no signals: whoever composed the service in its process starts and stops it, and so
/// decides the order in which several of them stop.
/// </summary>
internal sealed class EmbeddedLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Registers the embedded lifetime.</summary>
public static class EmbeddedLifetimeExtensions
{
    /// <summary>The service neither handles signals nor prints life-cycle messages; its host process does.</summary>
    public static WebApplicationBuilder UseEmbeddedLifetime(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, EmbeddedLifetime>());
        return builder;
    }
}
