using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Parallax.Hosting;
using Parallax.Hosting.Lifetime;

namespace Parallax.IntegrationTests.Services;

/// <summary>Hosts of services inside a test's process.</summary>
internal static class TestHosts
{
    public static WebApplicationBuilder NewBuilder()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults();
        builder.UseEmbeddedLifetime();
        builder.Logging.ClearProviders();
        return builder;
    }
}
