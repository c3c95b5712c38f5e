using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;
using DotNet.Testcontainers.Images;

namespace Parallax.Testing.Servers;

/// <summary>RabbitMQ in a container.</summary>
internal sealed class RabbitMqContainer : RabbitMqServer
{
    private readonly IContainer _container;

    public RabbitMqContainer()
    {
        Port = ServerPrograms.FreePort();
        _container = new ContainerBuilder(Image)
            .WithImagePullPolicy(PullPolicy.Never)
            .WithHostname("rabbitmq") // its data belong to the name
            .WithEnvironment("RABBITMQ_DEFAULT_USER", User)
            .WithEnvironment("RABBITMQ_DEFAULT_PASS", Password)
            .WithPortBinding(Port, 5672)
            .Build();
    }

    /// <summary>The image.</summary>
    public static string Image { get; } = Environment.GetEnvironmentVariable("PARALLAX_TEST_RABBITMQ_IMAGE") is { Length: > 0 } named ? named : "rabbitmq:4";

    public override string Host => _container.Hostname;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartTime);
        await _container.StartAsync(patience.Token);
        while (!await AnswersAsync(patience.Token))
        {
            await Task.Delay(50, patience.Token);
        }
    }

    public override Task KillAsync(CancellationToken cancellationToken) => DockerEngine.KillAsync(_container.Id, cancellationToken);

    public override async Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await _container.ExecAsync(["rabbitmqctl", .. arguments], cancellationToken);
        return result.ExitCode == 0
            ? result.Stdout
            : throw new InvalidOperationException($"rabbitmqctl {string.Join(' ', arguments)}: {result.Stdout}{result.Stderr}");
    }

    private protected override ValueTask StopAsync() => _container.DisposeAsync();
}
