using System.Globalization;
using System.Net;
using Parallax.IntegrationTests.Services;
using Parallax.Router.Access.Keys;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Access;

/// <summary>Quotas over real HTTP: what clients are told, over restarts, and over several routers.</summary>
public sealed class QuotaTests : IDisposable
{
    private readonly AccessFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Requests_MoreThanAMinuteMayHave_Are429_WithHeaders()
    {
        var (_, secret) = await _folder.CreateKeyAsync("alice", static one => one with { RequestsPerMinute = 2 });
        await using var cluster = (await AccessClient.StartAsync(_folder, Engine())).Use(secret);
        foreach (var left in (string[])["1", "0"])
        {
            using var answer = await cluster.PostAsync("\"max_tokens\": 4");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("2", answer.Header("x-ratelimit-limit-requests"));
            Assert.Equal(left, answer.Header("x-ratelimit-remaining-requests"));
            Assert.EndsWith("s", answer.Header("x-ratelimit-reset-requests"), StringComparison.Ordinal);
            Assert.Null(answer.Header("x-ratelimit-limit-tokens"));
        }

        using var refused = await cluster.PostAsync("\"max_tokens\": 4");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 61);
        Assert.Equal("0", refused.Header("x-ratelimit-remaining-requests"));
        var error = (await refused.JsonAsync()).GetProperty("error");
        Assert.Equal(("requests", "rate_limit_exceeded"), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Tokens_AreSetAsideWhileARequestRuns_AndThenCountedAsUsed()
    {
        var engine = new ScriptedEngine { Manual = true, Answer = static _ => ['a', 'b', ByteTokenizer.End] };
        var (_, secret) = await _folder.CreateKeyAsync("alice", static one => one with { TokensPerDay = 100 });
        await using var cluster = (await AccessClient.StartAsync(_folder, engine)).Use(secret);
        var response = await cluster.PostAsync("\"stream\": true, \"max_tokens\": 40, \"stream_options\": {\"include_usage\": true}");
        await using var live = new LiveAnswer(response);
        var remaining = Remaining(response);
        Assert.Equal("100", response.Header("x-ratelimit-limit-tokens"));

        using (var second = await cluster.PostAsync($"\"max_tokens\": {remaining}"))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode); // its prompt does not fit any more
            Assert.Equal("tokens", (await second.JsonAsync()).GetProperty("error").GetProperty("type").GetString());
            Assert.NotNull(second.Headers.RetryAfter);
        }

        engine.Release();
        var usage = (await live.ReadToEndAsync()).Usage!.Value;
        var used = usage.GetProperty("total_tokens").GetInt32();
        Assert.Equal(100 - (usage.GetProperty("prompt_tokens").GetInt32() + 40), remaining);
        await Eventually.TrueAsync(async () =>
        {
            using var after = await cluster.PostAsync("\"max_tokens\": 1000");
            return Remaining(after) == 100 - used;
        });
    }

    [Fact]
    public async Task Tokens_OfARequestThatIsNotServed_AreGivenBack()
    {
        var (_, secret) = await _folder.CreateKeyAsync("alice", static one => one with { TokensPerDay = 1000 });
        await using var cluster = (await AccessClient.StartAsync(_folder, Engine())).Use(secret);
        await cluster.StopWorkerAsync();
        await cluster.WhenReadyAsync(HttpStatusCode.ServiceUnavailable);
        using var refused = await cluster.PostAsync("\"max_tokens\": 10");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(1000, Remaining(refused));
    }

    [Fact]
    public async Task Tokens_OfTheDay_ComeBackAfterARestart()
    {
        var (_, secret) = await _folder.CreateKeyAsync("alice", static one => one with { TokensPerDay = 1000 });
        int used;
        await using (var before = (await AccessClient.StartAsync(_folder, Engine())).Use(secret))
        {
            using var answer = await before.PostAsync("\"max_tokens\": 10");
            used = (await answer.JsonAsync()).GetProperty("usage").GetProperty("total_tokens").GetInt32();
        }

        await using var after = (await AccessClient.StartAsync(_folder, Engine())).Use(secret);
        using var refused = await after.PostAsync("\"max_tokens\": 1000");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(1000 - used, Remaining(refused));
    }

    [Fact]
    public async Task Tokens_OfAnotherRouter_AreCountedWhenItsEventsCome()
    {
        const int Requests = 100_000; // more than there is time to ask
        var (_, secret) = await _folder.CreateKeyAsync("alice", static one => one with { TokensPerDay = 1000, RequestsPerMinute = Requests });
        await using var one = (await AccessClient.StartAsync(_folder, Engine(), "a")).Use(secret);
        await using var two = (await AccessClient.StartAsync(_folder, Engine(), "b")).Use(secret);
        var used = 0;
        for (var i = 0; i < 3; i++)
        {
            using var answer = await one.PostAsync("\"max_tokens\": 10");
            used += (await answer.JsonAsync()).GetProperty("usage").GetProperty("total_tokens").GetInt32();
        }

        var asked = 0;
        await Eventually.TrueAsync(async () =>
        {
            asked++;
            using var refused = await two.PostAsync("\"max_tokens\": 1000");
            return Remaining(refused) == 1000 - used
                && refused.Header("x-ratelimit-remaining-requests") == (Requests - 3 - asked).ToString(CultureInfo.InvariantCulture);
        });

        // And the first counts its own no second time.
        using var last = await one.PostAsync("\"max_tokens\": 1000");
        Assert.Equal(1000 - used, Remaining(last));
    }

    [Fact]
    public async Task Quota_ChangedWhileTheRouterRuns_Holds()
    {
        var (key, secret) = await _folder.CreateKeyAsync("alice");
        await using var cluster = (await AccessClient.StartAsync(_folder, Engine())).Use(secret);
        await _folder.ExecuteAsync(new ChangeKey(key.Id, static one => one with { TokensPerDay = 5 }));
        await Eventually.TrueAsync(async () =>
        {
            using var response = await cluster.PostAsync();
            return response.StatusCode == HttpStatusCode.TooManyRequests;
        });
    }

    private static int Remaining(HttpResponseMessage response) => int.Parse(response.Header("x-ratelimit-remaining-tokens")!, CultureInfo.InvariantCulture);

    private static ScriptedEngine Engine() => new() { Answer = static _ => ['o', 'k', ByteTokenizer.End] };
}
