using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Parallax.Testing.Servers;
using RabbitMQ.Client;

namespace Parallax.IntegrationTests.Bus;

/// <summary>A virtual host of a test's own on a real RabbitMQ.</summary>
internal sealed class Broker
{
    private const string Password = "secret";

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

    /// <summary>Makes the virtual host, and users of it with these rights and no others. Importing all at once takes one slow call.</summary>
    public static async Task<Broker> OnAsync(RabbitMqServer server, string name, params (string Name, string Configure, string Write, string Read)[] users)
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, JsonSerializer.Serialize(Definitions(name, [(server.User, ".*", ".*", ".*"), .. users.Select(user => (UserOf(name, user.Name), user.Configure, user.Write, user.Read))], server.User)), Token);
            await server.ControlAsync(["import_definitions", path], Token);
        }
        finally
        {
            File.Delete(path);
        }

        return new Broker(server, name);
    }

    /// <summary>As <c>--bus</c> names the bus for one of the users.</summary>
    /// <param name="name">The user.</param>
    /// <param name="folder">For the file with the password.</param>
    public string BusOf(string name, string folder)
    {
        var user = UserOf(VirtualHost, name);
        var path = Path.Combine(folder, $"{user}.password");
        File.WriteAllText(path, Password + "\n");
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

    private static string UserOf(string virtualHost, string name) => $"{virtualHost}-{name}";

    private static object Definitions(string virtualHost, (string Name, string Configure, string Write, string Read)[] users, string administrator) => new
    {
        vhosts = new[] { new { name = virtualHost } },
        users = users.Where(user => user.Name != administrator).Select(static user => new { name = user.Name, password_hash = Hash(Password), tags = "" }),
        permissions = users.Select(user => new { user = user.Name, vhost = virtualHost, configure = user.Configure, write = user.Write, read = user.Read }),
    };

    // RabbitMQ's: the salt, and SHA-256 of salt and password.
    private static string Hash(string password)
    {
        byte[] salt = [1, 2, 3, 4];
        return Convert.ToBase64String([.. salt, .. SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(password)])]);
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
