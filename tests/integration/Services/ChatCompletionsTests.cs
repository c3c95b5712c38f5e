using System.Net;
using System.Text;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Services;

public class ChatCompletionsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_NotStreamed_IsOneDocument()
    {
        await using var cluster = await TestCluster.StartAsync(Saying("Grüße, 世界!"));

        var answer = await (await cluster.PostAsync()).JsonAsync();

        Assert.Equal("Grüße, 世界!", answer.Text());
        Assert.Equal("stop", answer.FinishReason());
        Assert.Equal("chat.completion", answer.GetProperty("object").GetString());
        Assert.Equal("demo", answer.GetProperty("model").GetString());
        Assert.Equal("scripted-v1-bf16-01234567", answer.GetProperty("system_fingerprint").GetString());
        var usage = answer.GetProperty("usage");
        Assert.Equal(10, usage.GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(Encoding.UTF8.GetByteCount("Grüße, 世界!") + 1, usage.GetProperty("completion_tokens").GetInt32());
        Assert.Equal(0, usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32());
    }

    [Theory]
    [InlineData("Grüße, 世界! 😀")]
    [InlineData("")]
    public async Task Post_Streamed_IsTheSameTextInEvents(string text)
    {
        await using var cluster = await TestCluster.StartAsync(Saying(text));

        var response = await cluster.PostAsync("\"stream\": true, \"stream_options\": {\"include_usage\": true}");
        var request = response.Headers.GetValues("x-request-id").Single();
        var answer = await response.StreamAsync();

        Assert.Equal(text, answer.Text());
        Assert.Equal("stop", answer.FinishReasons[0]);
        Assert.True(answer.IsDone);
        Assert.Equal(Encoding.UTF8.GetByteCount(text) + 1, answer.Usage!.Value.GetProperty("completion_tokens").GetInt32());
        Assert.All(answer.Ids, id => Assert.StartsWith($"{request}:", id, StringComparison.Ordinal));
        var positions = answer.Ids.ConvertAll(static id => id.Split(':', 3)[2]);
        Assert.Equal("-1", positions[0]);
        Assert.Equal([$"{Encoding.UTF8.GetByteCount(text)}f", $"{Encoding.UTF8.GetByteCount(text)}f:u"], positions[^2..]);
        Assert.Equal(positions[..^2].ConvertAll(int.Parse).Order(), positions[..^2].ConvertAll(int.Parse));
    }

    [Fact]
    public async Task Post_LongAnswer_ArrivesWholeAndRunAheadIsBounded()
    {
        var text = string.Concat(Enumerable.Range(0, 700).Select(static i => $"{i} "));
        var engine = Saying(text);
        await using var cluster = await TestCluster.StartAsync(engine);

        Assert.Equal(text, (await (await cluster.PostAsync("\"stream\": true")).StreamAsync()).Text());
        Assert.InRange(engine.GreatestRunAhead, 1, ScriptedEngine.RunAhead);
    }

    [Fact]
    public async Task Post_InvalidUtf8_IsReplacedLikewiseInBothModes()
    {
        var engine = new ScriptedEngine { Answer = static _ => [0xE4, 0xB8, 'x', 0xF0, 0x9F, ByteTokenizer.End] };
        await using var cluster = await TestCluster.StartAsync(engine);

        var whole = (await (await cluster.PostAsync()).JsonAsync()).Text();
        Assert.Equal("\uFFFDx\uFFFD", whole);
        Assert.Equal(whole, (await (await cluster.PostAsync("\"stream\": true")).StreamAsync()).Text());
    }

    [Theory]
    [InlineData("\"stop\": \"STOP\"", "one ", "stop")]
    [InlineData("\"stop\": [\"zzz\", \"ne ST\"]", "o", "stop")]
    [InlineData("\"stop\": \"two!\"", "one STOP two", "length")]
    [InlineData("\"max_tokens\": 3", "one", "length")]
    public async Task Post_StopStrings_CutTheText(string fields, string text, string reason)
    {
        var engine = new ScriptedEngine { Answer = static _ => [.. "one STOP two"u8.ToArray().Select(static b => (int)b)] };
        await using var cluster = await TestCluster.StartAsync(engine);

        var whole = await (await cluster.PostAsync(fields)).JsonAsync();
        var streamed = await (await cluster.PostAsync($"\"stream\": true, {fields}")).StreamAsync();

        Assert.Equal(text, whole.Text());
        Assert.Equal(reason, whole.FinishReason());
        Assert.Equal(text, streamed.Text());
        Assert.Equal(reason, streamed.FinishReasons[0]);
    }

    [Fact]
    public async Task Post_StopString_CancelsTheSession()
    {
        var engine = new ScriptedEngine { Answer = static _ => [.. Enumerable.Repeat((int)'a', 10), 'S', .. Enumerable.Repeat((int)'b', 4000)] };
        await using var cluster = await TestCluster.StartAsync(engine);

        var answer = await (await cluster.PostAsync("\"stop\": \"S\"")).JsonAsync();

        Assert.Equal(11, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.True(engine.Opened.TryPeek(out var opened));
        await engine.WhenCancelledAsync(opened.Session).WaitAsync(TimeSpan.FromSeconds(10), Token);
    }

    [Fact]
    public async Task Post_SeveralChoices_AreSessionsWithTheirIndices()
    {
        var engine = new ScriptedEngine { Answer = static r => ['a' + r.Sampling.ChoiceIndex, ByteTokenizer.End] };
        await using var cluster = await TestCluster.StartAsync(engine);

        var whole = await (await cluster.PostAsync("\"n\": 3, \"seed\": 9")).JsonAsync();
        var streamed = await (await cluster.PostAsync("\"n\": 3, \"stream\": true")).StreamAsync();

        Assert.Equal(["a", "b", "c"], Enumerable.Range(0, 3).Select(i => whole.Text(i)));
        Assert.Equal(["a", "b", "c"], Enumerable.Range(0, 3).Select(i => streamed.Text(i)));
        Assert.Equal(3, streamed.FinishReasons.Count);
        Assert.EndsWith(":1f,1f,1f", streamed.Ids[^1], StringComparison.Ordinal);
        Assert.Equal(6, whole.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal(9UL, engine.Opened.First().Sampling.Seed);
    }

    [Fact]
    public async Task Post_WithoutSeed_DrawsOneForAllChoicesAndAnotherNextTime()
    {
        var engine = Saying("x");
        await using var cluster = await TestCluster.StartAsync(engine);

        (await cluster.PostAsync("\"n\": 2")).Dispose();
        (await cluster.PostAsync("\"n\": 2")).Dispose();

        var seeds = engine.Opened.Select(static o => o.Sampling.Seed).ToList();
        Assert.Equal(4, seeds.Count);
        Assert.Equal(2, seeds.Distinct().Count());
    }

    [Fact]
    public async Task Post_LogProbs_StandBesideEveryToken()
    {
        await using var cluster = await TestCluster.StartAsync(Saying("aé"));
        const string Fields = "\"logprobs\": true, \"top_logprobs\": 2";

        var whole = await (await cluster.PostAsync(Fields)).JsonAsync();
        var streamed = await (await cluster.PostAsync($"\"stream\": true, {Fields}")).StreamAsync();

        var content = whole.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content");
        Assert.Equal(4, content.GetArrayLength());
        Assert.Equal("a", content[0].GetProperty("token").GetString());
        Assert.Equal(-0.25, content[0].GetProperty("logprob").GetDouble());
        Assert.Equal(2, content[0].GetProperty("top_logprobs").GetArrayLength());
        Assert.Equal(0xC3, content[1].GetProperty("bytes")[0].GetInt32());
        Assert.Equal(
            content.GetRawText(),
            $"[{string.Join(',', streamed.Chunks
                .SelectMany(static c => c.GetProperty("choices").EnumerateArray())
                .Where(static c => c.TryGetProperty("logprobs", out _))
                .SelectMany(static c => c.GetProperty("logprobs").GetProperty("content").EnumerateArray())
                .Select(static e => e.GetRawText()))}]");
    }

    [Fact]
    public async Task Post_SpecialTokenTypedByAUser_IsText()
    {
        var engine = Saying("x");
        await using var cluster = await TestCluster.StartAsync(engine);

        (await cluster.PostAsync(content: "<|end|>")).Dispose();

        Assert.DoesNotContain(ByteTokenizer.End, engine.Opened.Single().PromptTokenIds);
    }

    [Theory]
    [InlineData("{", HttpStatusCode.BadRequest, "invalid_json")]
    [InlineData("""{"model": "other", "messages": [{"role": "user", "content": "x"}]}""", HttpStatusCode.NotFound, "model_not_found")]
    [InlineData("""{"model": "demo", "messages": [{"role": "user", "content": "x"}], "tools": [{}]}""", HttpStatusCode.BadRequest, "unsupported_parameter")]
    [InlineData("""{"model": "demo", "messages": [{"role": "tool", "content": "x"}]}""", HttpStatusCode.BadRequest, "chat_template_error")]
    [InlineData("""{"model": "demo", "messages": [{"role": "user", "content": "x"}], "max_tokens": 5000}""", HttpStatusCode.BadRequest, "context_length_exceeded")]
    [InlineData("""{"model": "demo", "messages": [{"role": "user", "content": "x"}], "n": 100, "stream": true}""", HttpStatusCode.BadRequest, "invalid_value")]
    public async Task Post_Bad_IsAnErrorInTheApisShape(string body, HttpStatusCode status, string code)
    {
        await using var cluster = await TestCluster.StartAsync(Saying("x"), static o => o with { MaxInFlight = 8 });
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        using var response = await cluster.Http.PostAsync("/v1/chat/completions", content, Token);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal(code, (await response.JsonAsync()).ErrorCode());
    }

    [Fact]
    public async Task Post_BodyTooLarge_Is413()
    {
        await using var cluster = await TestCluster.StartAsync(Saying("x"), static o => o with { MaxBodyBytes = 2048 });

        using var response = await cluster.PostAsync(content: new string('x', 4096));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("request_too_large", (await response.JsonAsync()).ErrorCode());
    }

    [Fact]
    public async Task Post_NotJson_Is415()
    {
        await using var cluster = await TestCluster.StartAsync(Saying("x"));
        using var content = new StringContent("a=b", Encoding.UTF8, "application/x-www-form-urlencoded");

        using var response = await cluster.Http.PostAsync("/v1/chat/completions", content, Token);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Theory]
    [InlineData("/nowhere", HttpStatusCode.NotFound, "unknown_url")]
    [InlineData("/v1/models/other", HttpStatusCode.NotFound, "model_not_found")]
    [InlineData("/v1/chat/completions", HttpStatusCode.MethodNotAllowed, "method_not_allowed")]
    public async Task Get_WrongAddress_IsAnErrorInTheApisShape(string path, HttpStatusCode status, string code)
    {
        await using var cluster = await TestCluster.StartAsync(Saying("x"));

        using var response = await cluster.Http.GetAsync(path, Token);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal(code, (await response.JsonAsync()).ErrorCode());
    }

    [Fact]
    public async Task Get_Models_NamesTheModel()
    {
        await using var cluster = await TestCluster.StartAsync(Saying("x"));

        var list = await (await cluster.Http.GetAsync("/v1/models", Token)).JsonAsync();
        var one = await (await cluster.Http.GetAsync("/v1/models/demo", Token)).JsonAsync();

        Assert.Equal("""{"object":"list","data":[{"id":"demo","object":"model","created":5,"owned_by":"parallax","max_model_len":4096}]}""", list.GetRawText());
        Assert.Equal(list.GetProperty("data")[0].GetRawText(), one.GetRawText());
    }

    [Fact]
    public async Task Get_Metrics_CountsWhatHappened()
    {
        await using var cluster = await TestCluster.StartAsync(Saying("abc"));
        (await (await cluster.PostAsync()).JsonAsync()).Text();

        var metrics = await cluster.Http.GetStringAsync("/metrics", Token);

        Assert.Contains("parallax_router_tokens_total 4\n", metrics, StringComparison.Ordinal);
        Assert.Contains("parallax_router_workers_serving 1\n", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_ManyClients_AllGetTheirOwnAnswer()
    {
        var engine = new ScriptedEngine { Answer = static r => [.. r.PromptTokenIds[^5..^1], .. r.PromptTokenIds[^5..^1], ByteTokenizer.End] };
        await using var cluster = await TestCluster.StartAsync(engine);

        await Parallel.ForEachAsync(Enumerable.Range(1000, 320), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Token }, async (i, _) =>
        {
            var stream = i % 2 == 0;
            var response = await cluster.PostAsync(stream ? "\"stream\": true" : "", content: $"{i}");
            var text = stream ? (await response.StreamAsync()).Text() : (await response.JsonAsync()).Text();
            Assert.Equal($"{i}{i}", text);
        });
        Assert.Equal(0, engine.ActiveCount);
    }

    private static ScriptedEngine Saying(string text) => new()
    {
        Answer = _ => [.. Encoding.UTF8.GetBytes(text).Select(static b => (int)b), ByteTokenizer.End],
    };
}
