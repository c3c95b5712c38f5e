using System.Net;
using System.Net.Sockets;
using Parallax.IntegrationTests.Services;
using Parallax.Testing.Servers;

namespace Parallax.IntegrationTests.Servers;

public sealed class RabbitMqServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KilledAndStarted_HasThePortAndTheUsersThatItHad()
    {
        var missing = await RabbitMqServer.MissingReasonAsync(Token);
        Assert.SkipWhen(missing is not null, missing ?? "");
        await using var server = await RabbitMqServer.StartNewAsync(Token);
        var port = server.Port;
        await server.ControlAsync(["add_user", "keeper", "secret"], Token);

        await server.KillAsync(Token);
        await Eventually.TrueAsync(async () =>
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(IPAddress.Parse(server.Host), port, Token);
                return false; // what was killed is not quite gone
            }
            catch (SocketException)
            {
                return true;
            }
        });

        await server.StartAsync(Token);
        Assert.Equal(port, server.Port);
        Assert.Contains("keeper", await server.ControlAsync(["list_users"], Token), StringComparison.Ordinal);
    }
}
