using Parallax.Testing.Servers;
using RabbitMQ.Client;

namespace Parallax.IntegrationTests.Bus;

/// <summary>A virtual host of a test's own on a real RabbitMQ.</summary>
internal sealed class Broker
{
    private Broker(RabbitMqServer server, string virtualHost)
    {
        Server = server;
        VirtualHost = virtualHost;
    }

    public RabbitMqServer Server { get; }

    public string VirtualHost { get; }

    /// <summary>As <c>--bus</c> names it, for the administrator.</summary>
    public string Bus => $"rabbitmq://{Server.User}@{Server.Host}:{Server.Port}/{VirtualHost}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task SkipIfMissingAsync()
    {
        var missing = await RabbitMqServer.MissingReasonAsync(Token);
        Assert.SkipWhen(missing is not null, missing ?? "");
    }

    /// <summary>Makes the virtual host.</summary>
    public static async Task<Broker> OnAsync(RabbitMqServer server, string name)
    {
        await server.ControlAsync(["add_vhost", name], Token);
        await server.ControlAsync(["set_permissions", "-p", name, server.User, ".*", ".*", ".*"], Token);
        return new Broker(server, name);
    }

    /// <summary>Makes a user with these rights and no others.</summary>
    /// <returns>As <c>--bus</c> names the bus for it.</returns>
    public async Task<string> AddUserAsync(string name, string folder, string configure, string write, string read)
    {
        var user = $"{VirtualHost}-{name}";
        await Server.ControlAsync(["add_user", user, "secret"], Token);
        await Server.ControlAsync(["set_permissions", "-p", VirtualHost, user, configure, write, read], Token);
        var path = Path.Combine(folder, $"{user}.password");
        await File.WriteAllTextAsync(path, "secret\n", Token);
        return $"rabbitmq://{user}@{Server.Host}:{Server.Port}/{VirtualHost}?passwordfile={Uri.EscapeDataString(path)}";
    }

    /// <summary>Messages that wait in a queue; null: there is no such queue.</summary>
    public async Task<uint?> WaitingAsync(string queue)
    {
        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Token);
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue, Token)).MessageCount;
        }
        catch (RabbitMQ.Client.Exceptions.OperationInterruptedException)
        {
            return null;
        }
    }

    /// <summary>Puts bytes into an exchange as anybody with the rights can.</summary>
    public async Task PublishAsync(string exchange, byte[] body, string? contentType = null)
    {
        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Token);
        var properties = new BasicProperties { Persistent = true, ContentType = contentType };
        await channel.BasicPublishAsync(exchange, "", mandatory: true, properties, body, Token);
    }

    private Task<IConnection> ConnectAsync() => new ConnectionFactory
    {
        HostName = Server.Host,
        Port = Server.Port,
        UserName = Server.User,
        Password = Server.Password,
        VirtualHost = VirtualHost,
    }.CreateConnectionAsync(Token);
}
