using System.Net;
using System.Text;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.EventStore;
using Parallax.IntegrationTests.Services;
using Parallax.Router.Access.Keys;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Access;

/// <summary>API keys, over real HTTP: who is let in and what the others are told.</summary>
public sealed class ApiKeyTests : IDisposable
{
    private readonly AccessFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Prefixes_OfDifferentKeys_AreCachedApart_AndThoseOfOneByItsSalts()
    {
        var (_, alice) = await _folder.CreateKeyAsync("alice");
        var (_, bob) = await _folder.CreateKeyAsync("bob");
        var engine = Engine();
        await using var cluster = await AccessClient.StartAsync(_folder, engine);
        foreach (var (secret, members) in new[] { (alice, ""), (alice, "\"max_tokens\": 4"), (alice, "\"cache_salt\": \"x\""), (bob, ""), (bob, "\"cache_salt\": \"x\"") })
        {
            using var answer = await cluster.Use(secret).PostAsync(members);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var salts = engine.Opened.Select(static opened => opened.CacheSalt).ToList();
        Assert.Equal(salts[0], salts[1]);
        Assert.Equal(4, salts.Distinct().Count());
        Assert.All(salts, static salt => Assert.NotEqual("", salt));
    }

    [Fact]
    public async Task Request_WithoutKeyOrWithAnother_Is401_AsOpenAIWritesIt()
    {
        await using var cluster = await AccessClient.StartAsync(_folder, Engine());
        using (var missing = await cluster.PostAsync())
        {
            Assert.Equal(HttpStatusCode.Unauthorized, missing.StatusCode);
            Assert.Equal("Bearer realm=\"parallax\"", missing.Header("WWW-Authenticate"));
            var error = (await missing.JsonAsync()).GetProperty("error");
            Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
            Assert.Contains("Authorization: Bearer", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        }

        var wrong = ApiKeySecret.Create(new byte[ApiKeySecret.RandomBytes]);
        using (var refused = await cluster.Use(wrong).PostAsync())
        {
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            Assert.Contains("invalid_token", refused.Header("WWW-Authenticate"), StringComparison.Ordinal);
            var text = await refused.Content.ReadAsStringAsync(Token);
            Assert.Contains("invalid_api_key", text, StringComparison.Ordinal);
            Assert.DoesNotContain(wrong, text, StringComparison.Ordinal);
        }

        foreach (var path in (string[])["/v1/models", "/v1/models/demo"])
        {
            using var response = await cluster.Http.GetAsync(path, Token);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }

        foreach (var path in (string[])["/health/live", "/health/ready"])
        {
            using var response = await cluster.Http.GetAsync(path, Token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Empty(((ScriptedEngine)cluster.Engine).Opened);
    }

    [Fact]
    public async Task Key_CreatedAndRevokedWhileTheRouterRuns_IsNoticed_AndTheAuditKnowsIt()
    {
        await using var cluster = await AccessClient.StartAsync(_folder, Engine());
        var (key, secret) = await _folder.CreateKeyAsync("alice");
        cluster.Use(secret);
        await Eventually.TrueAsync(async () => await StatusAsync(cluster) == HttpStatusCode.OK);

        using (var models = await cluster.Http.GetAsync("/v1/models", Token))
        {
            Assert.Equal(HttpStatusCode.OK, models.StatusCode);
        }

        string? id;
        using (var answer = await cluster.PostAsync())
        {
            id = answer.Header("x-request-id");
            Assert.Null(answer.Header("x-ratelimit-limit-requests")); // it has no quotas
            Assert.Equal("ok", (await answer.JsonAsync()).Text());
        }

        await _folder.ExecuteAsync(new RevokeKey(key.Id, "test"));
        await Eventually.TrueAsync(async () => await StatusAsync(cluster) == HttpStatusCode.Unauthorized);
        using (var revoked = await cluster.PostAsync())
        {
            Assert.Contains("revoked", await revoked.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }

        List<StoredEvent> events = [];
        await Eventually.TrueAsync(async () => (events = await _folder.EventsAsync()).Any(one => AuditStreams.RequestOf(one.Stream) == id && one.Type == "request-completed"));
        var accepted = events.Where(one => AuditStreams.RequestOf(one.Stream) == id).Select(static one => AuditCodec.Decode(one.Payload).Event).OfType<RequestAccepted>().Single();
        Assert.Equal((key.Id, key.Id), (accepted.Key, accepted.Client));
    }

    [Fact]
    public async Task Key_RevokedInMidStream_LetsTheAnswerEnd()
    {
        var engine = new ScriptedEngine { Manual = true, Answer = static _ => ['a', 'b', 'c', ByteTokenizer.End] };
        var (key, secret) = await _folder.CreateKeyAsync("alice");
        await using var cluster = (await AccessClient.StartAsync(_folder, engine)).Use(secret);
        await using var live = new LiveAnswer(await cluster.PostAsync("\"stream\": true"));
        engine.EmitAll(1);
        await live.ReadUntilAsync("a");

        await _folder.ExecuteAsync(new RevokeKey(key.Id, "test"));
        await Eventually.TrueAsync(async () =>
        {
            using var models = await cluster.Http.GetAsync("/v1/models", Token);
            return models.StatusCode == HttpStatusCode.Unauthorized;
        });
        engine.Release();
        Assert.Equal("abc", (await live.ReadToEndAsync()).Text());
    }

    [Fact]
    public async Task Key_OfAnotherScope_Is403()
    {
        var (_, secret) = await _folder.CreateKeyAsync("auditor", static one => one with { Scopes = KeyScope.Audit });
        await using var cluster = (await AccessClient.StartAsync(_folder, Engine())).Use(secret);
        using var response = await cluster.PostAsync();
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("insufficient_scope", response.Header("WWW-Authenticate"), StringComparison.Ordinal);
        Assert.Contains("scope=\"chat\"", response.Header("WWW-Authenticate"), StringComparison.Ordinal);
        Assert.Equal("insufficient_scope", (await response.JsonAsync()).ErrorCode());
    }

    [Fact]
    public async Task Key_ThatExpires_IsRefusedFromThenOn()
    {
        var (_, secret) = await _folder.CreateKeyAsync("short", static one => one with { Expires = TimeProvider.System.GetUtcNow().AddSeconds(3) });
        await using var cluster = (await AccessClient.StartAsync(_folder, Engine())).Use(secret);
        await Eventually.TrueAsync(async () =>
        {
            using var response = await cluster.PostAsync();
            return response.StatusCode == HttpStatusCode.Unauthorized
                && (await response.Content.ReadAsStringAsync(Token)).Contains("expired", StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Secret_IsInNoFileOfTheStoreOrTheLog()
    {
        var (_, secret) = await _folder.CreateKeyAsync("alice");
        await using (var cluster = (await AccessClient.StartAsync(_folder, Engine())).Use(secret))
        {
            using var response = await cluster.PostAsync();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Contains(await _folder.EventsAsync(), static one => one.Type == "request-completed");
        foreach (var file in Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories))
        {
            var text = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Token));
            Assert.DoesNotContain(secret[ApiKeySecret.Prefix.Length..], text, StringComparison.Ordinal);
        }
    }

    private static ScriptedEngine Engine() => new() { Answer = static _ => ['o', 'k', ByteTokenizer.End] };

    private static async Task<HttpStatusCode> StatusAsync(TestCluster cluster)
    {
        using var response = await cluster.PostAsync();
        return response.StatusCode;
    }
}
