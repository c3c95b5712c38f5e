using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;
using DotNet.Testcontainers.Images;

namespace Parallax.Testing.Servers;

/// <summary>PostgreSQL in a container.</summary>
internal sealed class PostgresContainer : PostgresServer
{
    private readonly IContainer _container;

    public PostgresContainer()
    {
        Port = ServerPrograms.FreePort();
        _container = new ContainerBuilder(Image)
            .WithImagePullPolicy(PullPolicy.Never)
            .WithEnvironment("POSTGRES_PASSWORD", Password)
            .WithPortBinding(Port, 5432)
            .Build();
    }

    /// <summary>The image.</summary>
    public static string Image { get; } = Environment.GetEnvironmentVariable("PARALLAX_TEST_POSTGRES_IMAGE") is { Length: > 0 } named ? named : "postgres:17";

    public override string Host => _container.Hostname;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartTime);
        await _container.StartAsync(patience.Token);

        // It answers for a moment while it is being set up, but only on a socket inside.
        while (!await AnswersAsync(patience.Token))
        {
            await Task.Delay(50, patience.Token);
        }
    }

    public override Task KillAsync(CancellationToken cancellationToken) => DockerEngine.KillAsync(_container.Id, cancellationToken);

    private protected override ValueTask StopAsync() => _container.DisposeAsync();
}
