using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Parallax.Hosting.Status;

namespace Parallax.IntegrationTests.Services;

/// <summary>What a service without an HTTP address of its own tells machines.</summary>
public sealed class StatusServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_SaysWhatTheServiceSays()
    {
        await using var server = await StatusServer.StartAsync(new StatusOptions(0), Token);
        using var http = new HttpClient { BaseAddress = server!.Address };
        string? problem = "no layers <yet>";

        Assert.Equal((HttpStatusCode.OK, "ok", null), await AskAsync(http, "/health/live"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable", "It is starting."), await AskAsync(http, "/health/ready"));
        server.Watch(() => problem);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable", problem), await AskAsync(http, "/health/ready"));
        problem = null;
        Assert.Equal((HttpStatusCode.OK, "ok", null), await AskAsync(http, "/health/ready"));
        Assert.Contains("dotnet", await http.GetStringAsync("/metrics", Token), StringComparison.Ordinal);
        using var other = await http.GetAsync("/v1/models", Token);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task Start_PortThatIsTaken_SaysSo()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await Assert.ThrowsAsync<IOException>(() => StatusServer.StartAsync(new StatusOptions(port), Token));
    }

    [Fact]
    public async Task Start_NotAskedFor_StartsNothing() => Assert.Null(await StatusServer.StartAsync(null, Token));

    private static async Task<(HttpStatusCode Code, string? Status, string? Reason)> AskAsync(HttpClient http, string path)
    {
        using var response = await http.GetAsync(path, Token);
        using var report = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Token));
        return (response.StatusCode, report.RootElement.GetProperty("status").GetString(),
            report.RootElement.TryGetProperty("reason", out var reason) ? reason.GetString() : null);
    }
}
