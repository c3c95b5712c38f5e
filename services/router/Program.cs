using Parallax.Hosting;
using Parallax.Hosting.Commands;
using Parallax.Hosting.Lifetime;
using Parallax.Router;

return await ServiceCommand.RunAsync(
    RouterCommand.Create(async (modelPath, options, stop) =>
    {
        OptionsException.ThrowIfAny(options.Validate());
        var model = RouterModel.Load(modelPath);

        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime().AddRouter(options, model);

        await using var app = builder.Build();
        app.MapRouter();
        return await app.RunServiceAsync("router", Console.Out, stop);
    }),
    args,
    Console.Error);
