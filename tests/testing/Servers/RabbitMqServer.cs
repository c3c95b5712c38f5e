using System.Net.Sockets;

namespace Parallax.Testing.Servers;

/// <summary>A real RabbitMQ; its port is AMQP's.</summary>
public abstract class RabbitMqServer : TestServer
{
    private protected RabbitMqServer()
    {
    }

    /// <summary>An administrator.</summary>
    public string User => "guest";

    /// <summary>Its password.</summary>
    public string Password => "guest";

    /// <summary>The same as a URI.</summary>
    public Uri Address => new($"amqp://{User}:{Password}@{Host}:{Port}/");

    /// <summary>Why tests that need the server are skipped; null when there is one.</summary>
    public static Task<string?> MissingReasonAsync(CancellationToken cancellationToken) =>
        MissingReasonAsync(LocalRabbitMqServer.MissingReason, RabbitMqContainer.Image, cancellationToken);

    /// <summary>Starts a server of one's own; returns when it takes connections.</summary>
    public static Task<RabbitMqServer> StartNewAsync(CancellationToken cancellationToken) =>
        StartNewAsync<RabbitMqServer>(RabbitMqContainer.Image, static () => new RabbitMqContainer(), static () => new LocalRabbitMqServer(), cancellationToken);

    /// <summary>Runs its <c>rabbitmqctl</c>; for users, permissions, policies and queues. Slow (a second or two).</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message holds its output.</exception>
    public abstract Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken);

    // A broker answers a client's protocol header with a method frame; one that is not ready closes the connection or does not listen.
    private protected override async Task<bool> AnswersAsync(CancellationToken cancellationToken)
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
