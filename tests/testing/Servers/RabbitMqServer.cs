using System.Net.Sockets;

namespace Parallax.Testing.Servers;

/// <summary>
/// A real RabbitMQ of one test or of many: a container where a Docker engine answers and has the image, else a process on loopback.
/// It is empty when it starts, and goes with everything in it when it is disposed of or the tests die.
/// </summary>
public abstract class RabbitMqServer : IAsyncDisposable
{
    private protected static readonly TimeSpan StartTime = TimeSpan.FromMinutes(3);

    private protected RabbitMqServer()
    {
    }

    /// <summary>Where it listens.</summary>
    public virtual string Host => "127.0.0.1";

    /// <summary>Its AMQP port, the same after a restart.</summary>
    public int Port { get; private protected set; }

    /// <summary>An administrator.</summary>
    public string User => "guest";

    /// <summary>Its password.</summary>
    public string Password => "guest";

    /// <summary>The same as a URI.</summary>
    public Uri Address => new($"amqp://{User}:{Password}@{Host}:{Port}/");

    /// <summary>Why tests that need the server are skipped; null when there is one.</summary>
    public static async Task<string?> MissingReasonAsync(CancellationToken cancellationToken) =>
        LocalRabbitMqServer.MissingReason is { } reason && !await DockerEngine.HasAsync(RabbitMqContainer.Image, cancellationToken) ? reason : null;

    /// <summary>Starts a server of one's own; returns when it takes connections.</summary>
    public static async Task<RabbitMqServer> StartNewAsync(CancellationToken cancellationToken)
    {
        RabbitMqServer server = await DockerEngine.HasAsync(RabbitMqContainer.Image, cancellationToken) ? new RabbitMqContainer() : new LocalRabbitMqServer();
        try
        {
            await server.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills it with SIGKILL, as a machine that loses power would; returns when it is gone.</summary>
    public abstract Task KillAsync(CancellationToken cancellationToken);

    /// <summary>Starts it again on the same port and data after <see cref="KillAsync"/>; returns when it takes connections.</summary>
    public abstract Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Runs its <c>rabbitmqctl</c>; for users, permissions, policies and queues. Slow (a second or two).</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message holds its output.</exception>
    public abstract Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract ValueTask StopAsync();

    // A broker answers a client's protocol header with a method frame; one that is not ready closes the connection or does not listen.
    private protected async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(Host, Port, cancellationToken);
            await client.GetStream().WriteAsync("AMQP\0\0\u0009\u0001"u8.ToArray(), cancellationToken);
            var frame = new byte[1];
            await client.GetStream().ReadExactlyAsync(frame, cancellationToken);
            return frame[0] == 1;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
