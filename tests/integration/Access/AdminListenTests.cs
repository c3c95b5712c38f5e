using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Parallax.IntegrationTests.Services;
using Parallax.Router;
using Parallax.Router.Access;
using Parallax.Router.Access.Gate;
using Parallax.Router.Access.Keys;

namespace Parallax.IntegrationTests.Access;

/// <summary>What is served to clients and what to administrators.</summary>
public sealed class AdminListenTests : IAsyncDisposable
{
    private readonly AccessFolder _folder = new();
    private WebApplication? _router;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_router is not null)
        {
            await _router.StopAsync(CancellationToken.None);
            await _router.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task AdminListen_PartsTheAdministratorsAddressFromTheApi()
    {
        var (api, admin) = await StartAsync(new RouterAccess { AdminListen = new IPEndPoint(IPAddress.Loopback, 0) });

        Assert.Equal(HttpStatusCode.OK, await GetAsync(api, "/v1/models"));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(api, "/metrics"));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(api, "/admin/test"));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(api, "/audit/test"));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(api, "/metrics", host: admin!.Authority)); // what the client says of itself is nothing

        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(admin, "/v1/models"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(admin, "/metrics"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(admin, "/admin/test"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(admin, "/audit/test"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(admin, "/health/live"));
    }

    [Fact]
    public async Task AdminListen_None_OnLoopback_ServesAllAtTheApi()
    {
        var (api, _) = await StartAsync(new RouterAccess());
        Assert.Equal(HttpStatusCode.OK, await GetAsync(api, "/metrics"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(api, "/admin/test"));
    }

    [Fact]
    public async Task AdminListen_None_BeyondLoopback_ServesNothingToAdministrators()
    {
        var (api, _) = await StartAsync(new RouterAccess { NeedsKeys = false }, bind: "0.0.0.0");
        Assert.Equal(HttpStatusCode.OK, await GetAsync(api, "/v1/models"));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(api, "/metrics"));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(api, "/admin/test"));
    }

    [Fact]
    public async Task Keys_ForAuditAndAdmin_AreTheirOwn()
    {
        var (_, chat) = await _folder.CreateKeyAsync("chat");
        var (_, audit) = await _folder.CreateKeyAsync("audit", static one => one with { Scopes = KeyScope.Audit });
        var (operatorKey, admin) = await _folder.CreateKeyAsync("admin", static one => one with { Scopes = KeyScope.Admin });
        var (_, address) = await StartAsync(new RouterAccess { NeedsKeys = true, AdminListen = new IPEndPoint(IPAddress.Loopback, 0) });
        await Eventually.TrueAsync(async () => await GetAsync(address!, "/admin/test", admin) == HttpStatusCode.OK);

        Assert.Equal(HttpStatusCode.OK, await GetAsync(address!, "/metrics"));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(address!, "/audit/test"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(address!, "/audit/test", chat));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(address!, "/audit/test", audit));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(address!, "/audit/test", admin));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(address!, "/admin/test"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(address!, "/admin/test", audit));

        using var http = Client(address!, admin);
        Assert.Equal(operatorKey.Id, await http.GetStringAsync("/admin/test", Token)); // the delegate tells who calls
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(address!, "/forgotten"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(address!, "/forgotten", admin)); // an endpoint that says nothing is an administrator's
    }

    private async Task<(Uri Api, Uri? Admin)> StartAsync(RouterAccess access, string bind = "127.0.0.1")
    {
        var builder = TestHosts.NewBuilder();
        builder.AddRouter(
            new RouterOptions { Workers = [new Uri("http://127.0.0.1:1")], Bind = bind, Port = 0, Access = access, Audit = _folder.Audit() }, TestCluster.ByteModel());
        _router = builder.Build();
        _router.MapRouter();
        var keys = _router.Services.GetRequiredService<KeyGate>();
        foreach (var (path, rule, scope) in ((string, EndpointAccess, KeyScope)[])[("/admin/test", EndpointAccess.Admin, KeyScope.Admin), ("/audit/test", EndpointAccess.Audit, KeyScope.Audit)])
        {
            var authorise = keys.Authorise(scope);
            _router.MapGroup(rule).MapGet(path, async http => await http.Response.WriteAsync(await authorise(http) ?? "", Token));
        }

        _router.MapGet("/forgotten", static () => "here");
        await _router.StartAsync(Token);
        var addresses = _router.Urls.Select(static url => new UriBuilder(url) { Host = "127.0.0.1" }.Uri).ToArray();
        return (addresses[0], addresses.Length > 1 ? addresses[1] : null);
    }

    private static HttpClient Client(Uri address, string? secret = null)
    {
        var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = secret is null ? null : new AuthenticationHeaderValue("Bearer", secret);
        return http;
    }

    private static async Task<HttpStatusCode> GetAsync(Uri address, string path, string? secret = null, string? host = null)
    {
        using var http = Client(address, secret);
        http.DefaultRequestHeaders.Host = host;
        using var response = await http.GetAsync(path, Token);
        return response.StatusCode;
    }
}
