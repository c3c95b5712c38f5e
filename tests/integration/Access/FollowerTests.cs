using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Parallax.EventStore;
using Parallax.EventStore.Sqlite;
using Parallax.IntegrationTests.Identity;
using Parallax.IntegrationTests.Services;
using Parallax.Router;
using Parallax.Router.Access;
using Parallax.Router.Access.Keys;

namespace Parallax.IntegrationTests.Access;

/// <summary>A router and an event store that comes and goes.</summary>
public sealed class FollowerTests : IDisposable
{
    private readonly AccessFolder _folder = new();
    private readonly LogLines _log = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Store_ThatGoes_LeavesTheKeysThatAreKnown_AndThatComesBack_BringsTheNewOnes()
    {
        await using var events = new BreakableStore(SqliteEventStore.Open(_folder.StorePath, TimeProvider.System)) { IsBroken = true };
        var (_, secret) = await _folder.CreateKeyAsync("alice");
        var builder = TestHosts.NewBuilder();
        builder.Logging.AddProvider(_log);
        builder.Services.AddSingleton<IEventStore>(events);
        builder.AddRouter(new RouterOptions { Workers = [new Uri("http://127.0.0.1:1")], Port = 0, Access = new RouterAccess { NeedsKeys = true } }, TestCluster.ByteModel());
        await using var router = builder.Build();
        router.MapRouter();
        await router.StartAsync(Token);
        using var http = new HttpClient { BaseAddress = new Uri(router.Urls.First()) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", secret);

        // 1. Before the keys are known: nobody is let in, and nobody is told that the key is wrong.
        await Eventually.TrueAsync(() => _log.Has("cannot be followed"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ModelsAsync(http));
        Assert.Contains("not read yet", await ReadyAsync(http), StringComparison.Ordinal);

        // 2. The store comes.
        events.IsBroken = false;
        await Eventually.TrueAsync(async () => await ModelsAsync(http) == HttpStatusCode.OK);
        await Eventually.TrueAsync(() => _log.Has("followed in the event store again"));

        // 3. It goes: what is known stays.
        events.Break();
        await Eventually.TrueAsync(() => router.Services.GetRequiredService<KeyDirectory>().Problem is not null);
        Assert.Equal(HttpStatusCode.OK, await ModelsAsync(http));
        var (_, second) = await _folder.CreateKeyAsync("bob");

        // 4. It comes back with what happened meanwhile.
        events.IsBroken = false;
        http.DefaultRequestHeaders.Authorization = new("Bearer", second);
        await Eventually.TrueAsync(async () => await ModelsAsync(http) == HttpStatusCode.OK);
        await Eventually.TrueAsync(() => router.Services.GetRequiredService<KeyDirectory>().Problem is null);
        await router.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Keys_NoneYet_TheLogSaysHowToCreateOne()
    {
        await using var cluster = await AccessClient.StartAsync(_folder, new ScriptedEngine());
        using var response = await cluster.PostAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        var builder = TestHosts.NewBuilder();
        builder.Logging.AddProvider(_log);
        builder.AddRouter(
            new RouterOptions { Workers = [new Uri("http://127.0.0.1:1")], Port = 0, Audit = _folder.Audit("b"), Access = new RouterAccess { NeedsKeys = true } }, TestCluster.ByteModel());
        await using var router = builder.Build();
        router.MapRouter();
        await router.StartAsync(Token);
        await Eventually.TrueAsync(() => _log.Has("parallax key create", _folder.StorePath));
        await router.StopAsync(CancellationToken.None);
    }

    private static async Task<HttpStatusCode> ModelsAsync(HttpClient http)
    {
        using var response = await http.GetAsync("/v1/models", Token);
        return response.StatusCode;
    }

    private static async Task<string> ReadyAsync(HttpClient http)
    {
        using var response = await http.GetAsync("/health/ready", Token);
        return await response.Content.ReadAsStringAsync(Token);
    }
}
