using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Parallax.Audit.Chain;
using Parallax.Audit.Http;
using Parallax.Audit.Index;
using Parallax.EventStore.Sqlite;
using Parallax.IntegrationTests.Cli;
using Parallax.UnitTests.Audit;

namespace Parallax.IntegrationTests.Audit;

/// <summary>The audit over HTTP, and the command that asks it.</summary>
public sealed class AuditHttpTests : IAsyncLifetime
{
    private const string Key = "audit-key";
    private static readonly History Written = History.Of(99, 100);

    private readonly HttpClient _http = new();
    private AuditStoreFile? _file;
    private SqliteEventStore? _store;
    private AuditIndex? _index;
    private WebApplication? _app;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _file = await AuditStoreFile.CreateAsync(Written.Events);
        _store = SqliteEventStore.Open(_file.Path, TimeProvider.System);
        _index = AuditIndex.Open(Path.Combine(_file.Folder, "index.db"));
        await _index.CatchUpAsync(_store, Token);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapAudit(new AuditReader(_store, _index), static http => ValueTask.FromResult(
            http.Request.Headers.Authorization == $"Bearer {Key}" ? null : new AuditRefusal(401, "invalid_api_key", "Give an API key that may read the audit.")));
        await _app.StartAsync(Token);
        _http.BaseAddress = new Uri(_app.Urls.Single());
        _http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app!.DisposeAsync();
        await _index!.DisposeAsync();
        await _store!.DisposeAsync();
        _file!.Dispose();
    }

    [Fact]
    public async Task WithoutAKey_EverythingIsRefused()
    {
        using var stranger = new HttpClient { BaseAddress = _http.BaseAddress };
        foreach (var path in (string[])["requests", "requests/x", "requests/x/events", "events", "usage", "failures", "verify"])
        {
            using var answer = await stranger.GetAsync(new Uri($"/audit/{path}", UriKind.Relative), Token);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            var error = (await answer.Content.ReadFromJsonAsync<JsonElement>(Token)).GetProperty("error");
            Assert.Equal(("invalid_request_error", "invalid_api_key"), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
        }
    }

    [Fact]
    public async Task Requests_ArePagedByCursor()
    {
        List<string> seen = [];
        string? after = "";
        while (after is not null)
        {
            var page = await _http.GetFromJsonAsync<JsonElement>(new Uri($"/audit/requests?limit=5&after={after}", UriKind.Relative), Token);
            seen.AddRange(page.GetProperty("data").EnumerateArray().Select(static row => row.GetProperty("id").GetString()!));
            after = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }

        Assert.Equal(Written.Events.Select(static one => AuditStreams.RequestOf(one.Stream)).OfType<string>().Distinct().Order(), seen.Order());
    }

    [Theory]
    [InlineData("requests?limit=0", "limit")]
    [InlineData("requests?limit=many", "limit")]
    [InlineData("requests?since=now", "since")]
    [InlineData("requests?status=good", "status")]
    [InlineData("verify?swarm=ours", "swarm")]
    [InlineData("events?after=-1", "after")]
    public async Task BadParameters_AreNamed(string path, string parameter)
    {
        using var answer = await _http.GetAsync(new Uri($"/audit/{path}", UriKind.Relative), Token);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(parameter, (await answer.Content.ReadFromJsonAsync<JsonElement>(Token)).GetProperty("error").GetProperty("param").GetString());
    }

    [Fact]
    public async Task UnknownRequest_Is404()
    {
        using var answer = await _http.GetAsync(new Uri("/audit/requests/none/events", UriKind.Relative), Token);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("request_not_found", (await answer.Content.ReadFromJsonAsync<JsonElement>(Token)).GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task Verify_StreamsLines_AndSaysWhatWasChangedByHand()
    {
        var fine = await LinesAsync("/audit/verify");
        Assert.True(fine[^1].GetProperty("result").GetProperty("is_fine").GetBoolean());
        _file!.Execute("delete from events where position = (select min(position) from events where type = 'request-accepted')");
        var lines = await LinesAsync("/audit/verify");
        Assert.False(lines[^1].GetProperty("result").GetProperty("is_fine").GetBoolean());
        Assert.Contains(lines, static line => line.TryGetProperty("finding", out var finding) && finding.GetProperty("kind").GetString() == "deleted" && finding.GetProperty("event").GetInt64() == 2);
    }

    [Fact]
    public async Task Command_WithUrl_SaysWhatTheStoreSays()
    {
        var request = AuditStreams.RequestOf(Written.Events.First(static one => one.Type == "request-completed").Stream)!;
        foreach (var command in (string[][])[["list"], ["show", request], ["export"], ["export", request], ["usage"], ["failures"], ["verify"]])
        {
            await using var remote = new CliProcess(["audit", .. command, "--url", _http.BaseAddress!.ToString(), "--api-key", Key]);
            var (output, code) = await remote.RunToEndAsync();
            Assert.Equal((await _file!.RunAsync(command)).Output, output);
            Assert.Equal(0, code);
        }

        await using var stranger = new CliProcess("audit", "list", "--url", _http.BaseAddress!.ToString());
        Assert.Equal(1, (await stranger.RunToEndAsync()).Code);
        Assert.Contains("Give an API key that may read the audit.", stranger.Errors, StringComparison.Ordinal);
    }

    private async Task<JsonElement[]> LinesAsync(string path) =>
        [.. (await _http.GetStringAsync(new Uri(path, UriKind.Relative), Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];
}
