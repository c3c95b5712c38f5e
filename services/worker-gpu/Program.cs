using Parallax.Hosting;
using Parallax.Hosting.Commands;
using Parallax.Hosting.Lifetime;
using Parallax.Runtime.Sampling;
using Parallax.Worker.Gpu;

return await ServiceCommand.RunAsync(
    WorkerCommand.Create(async (options, stop) =>
    {
        await using var engine = WorkerEngine.Load(options, new TokenSamplerFactory(), cancellationToken: stop);

        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime().AddWorker(options, engine);

        await using var app = builder.Build();
        app.MapWorker();
        return await app.RunServiceAsync("worker", Console.Out, stop);
    }),
    args,
    Console.Error);
