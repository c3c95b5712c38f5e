using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Parallax.ModelFiles.Serving;
using Parallax.ModelFiles.Storage;

namespace Parallax.ModelFiles;

/// <summary>Puts the serving of model files into a member's host.</summary>
public static class ModelFilesExtensions
{
    /// <summary>Adds the ModelFiles service over a store, which stays the caller's: dispose it after the host.</summary>
    public static WebApplicationBuilder AddModelFiles(this WebApplicationBuilder builder, ModelStore store)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(store);
        builder.Services.TryAddSingleton(store);
        builder.Services.TryAddSingleton<ModelFilesService>();
        builder.Services.AddGrpc();
        return builder;
    }

    /// <summary>Maps the service's calls.</summary>
    public static WebApplication MapModelFiles(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapGrpcService<ModelFilesService>();
        return app;
    }
}
