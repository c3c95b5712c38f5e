using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Parallax.IntegrationTests.Services;
using Parallax.Runtime.Execution;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Failover;

/// <summary>A client that reconnects with the id of its last event gets what it lacks, at whichever router.</summary>
public class ResumeTests
{
    private const string Streamed = "\"stream\": true, \"stream_options\": {\"include_usage\": true}";

    [Fact]
    public async Task Cut_AtEveryByte_IsCompletedByteForByteAtEitherRouter()
    {
        // A character of several tokens, text held back for a stop string, and text that only the end releases.
        await using var engine = Saying("aü漢 STO");
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        var body = cluster.Body($"{Streamed}, \"stop\": \"STOP\"");
        var whole = await cluster.ReadAsync(0, body);
        Assert.True(whole.IsDone);

        for (var cut = 0; cut <= whole.Length; cut++)
        {
            var received = await cluster.ReadAsync(cut % 2, body, cut);
            var rest = await cluster.ResumeAsync(cut / 2 % 2, body, received);

            Assert.True(rest.IsDone);
            if (received.LastId.Length > 0)
            {
                // The parts are of one answer, with one id; cut before the first event there is only the second.
                Assert.Equal(Normal(whole.Events), Normal([.. received.Events, .. rest.Events]));
                Assert.Single(received.Events.Concat(rest.Events).Select(static e => e.Split('"')[3]).Distinct());
            }
        }
    }

    [Fact]
    public async Task Running_TakenUpAtAnotherRouter_GoesOnWhereItIsAndTheFirstStops()
    {
        await using var engine = Saying("abcdefgh");
        engine.Manual = true;
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        await TakeOverAsync(cluster, engine, router: 1);
    }

    [Fact]
    public async Task Running_TakenUpAtTheSameRouter_GoesOnWhereItIsAndTheFirstStops()
    {
        await using var engine = Saying("abcdefgh");
        engine.Manual = true;
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        await TakeOverAsync(cluster, engine, router: 0);
    }

    [Fact]
    public async Task Ended_WhileTheHeadHasItsIds_IsNotGeneratedAgain()
    {
        await using var engine = Saying("abc");
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        var body = cluster.Body(Streamed);
        var whole = await cluster.ReadAsync(0, body);
        Assert.Single(engine.Opened);

        foreach (var last in whole.Events.Select(static e => e.Split('\n')[0][4..]).ToList())
        {
            var rest = await cluster.ReadAsync(1, body, int.MaxValue, ("Last-Event-ID", last));

            Assert.True(rest.IsDone);
            Assert.Equal(whole.Text[(whole.Text.LastIndexOf($"id: {last}\n", StringComparison.Ordinal))..].Split("\n\n", 2)[1], rest.Text);
        }

        Assert.Single(engine.Opened);
    }

    [Fact]
    public async Task Ended_WithoutIdsLeft_IsGeneratedAgainWithTheSameSeedAndNumbers()
    {
        await using var engine = Saying("abc");
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine, retainIds: TimeSpan.Zero);
        var body = cluster.Body(Streamed);
        var whole = await cluster.ReadAsync(0, body);

        var rest = await cluster.ReadAsync(1, body, int.MaxValue, ("Last-Event-ID", whole.Events[1].Split('\n')[0][4..]));

        Assert.Equal(string.Concat(whole.Events.Skip(2)), rest.Text);
        Assert.Equal(2, engine.Opened.Count);
        var (first, second) = (engine.Opened.First(), engine.Opened.Last());
        Assert.Equal(first.Sampling.Seed, second.Sampling.Seed);
        Assert.Equal(first.Sampling.MaxTokens, second.Sampling.MaxTokens);
        Assert.Equal(first.Session, second.Session);
        Assert.True(second.Epoch > first.Epoch);
    }

    [Fact]
    public async Task LogProbs_OfWhatIsMissing_AreComputedAgain()
    {
        await using var engine = Saying("abcd");
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        var body = cluster.Body($"{Streamed}, \"logprobs\": true, \"top_logprobs\": 2");
        var whole = await cluster.ReadAsync(0, body);

        for (var kept = 1; kept <= whole.Events.Count; kept++)
        {
            var rest = await cluster.ReadAsync(kept % 2, body, int.MaxValue, ("Last-Event-ID", whole.Events[kept - 1].Split('\n')[0][4..]));
            Assert.Equal(string.Concat(whole.Events.Skip(kept)), rest.Text);
        }
    }

    [Fact]
    public async Task SeveralChoices_EachGoesOnWhereItIs()
    {
        await using var engine = new ScriptedEngine
        {
            Answer = static r => [.. Enumerable.Repeat('a' + r.Sampling.ChoiceIndex, 3 + r.Sampling.ChoiceIndex), ByteTokenizer.End],
        };
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        var body = cluster.Body($"{Streamed}, \"n\": 3");
        var whole = await cluster.ReadAsync(0, body);

        for (var kept = 1; kept <= whole.Events.Count; kept++)
        {
            var rest = await cluster.ReadAsync(kept % 2, body, int.MaxValue, ("Last-Event-ID", whole.Events[kept - 1].Split('\n')[0][4..]));
            var answer = new StreamedAnswer();
            foreach (var e in whole.Events.Take(kept).Concat(rest.Events))
            {
                answer.Add("", e.Split("data: ")[1].TrimEnd());
            }

            Assert.Equal(["aaa", "bbbb", "ccccc"], Enumerable.Range(0, 3).Select(answer.Text));
            Assert.Equal(3, answer.FinishReasons.Count);
            Assert.Equal(15, answer.Usage!.Value.GetProperty("completion_tokens").GetInt32());
        }
    }

    [Fact]
    public async Task LastEventId_OfSomethingElse_IsRefused()
    {
        await using var engine = Saying("abc");
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        var body = cluster.Body(Streamed);
        var key = ("Authorization", "Bearer one");
        var last = ("Last-Event-ID", (await cluster.ReadAsync(0, body, int.MaxValue, key)).LastId);

        await RefusedAsync(400, "invalid_event_id", cluster.PostAsync(1, body, key, ("Last-Event-ID", "1")));
        await RefusedAsync(400, "invalid_event_id", cluster.PostAsync(1, body, key, ("Last-Event-ID", last.Item2 + ",1x")));
        await RefusedAsync(422, "request_differs", cluster.PostAsync(1, cluster.Body(Streamed, "ho"), key, last));
        await RefusedAsync(422, "request_differs", cluster.PostAsync(1, body + " ", key, last));
        await RefusedAsync(404, "answer_not_found", cluster.PostAsync(1, body, last));
        await RefusedAsync(404, "answer_not_found", cluster.PostAsync(1, body, ("Authorization", "Bearer two"), last));
        await RefusedAsync(422, "request_differs", cluster.PostAsync(1, body, key, ("Last-Event-ID", $"{last.Item2[..^2]},1")));
        Assert.True((await cluster.ReadAsync(1, body, int.MaxValue, key, last)).IsDone);
        Assert.Single(engine.Opened);
    }

    [Fact]
    public async Task LastEventId_AtARouterThatWouldGenerateAnother_IsRefusedWithWhatIsKnown()
    {
        await using var engine = Saying("abc");
        await using var cluster = await ResumeCluster.StartAsync(
            TestCluster.ByteModel(), 2, engine, otherModel: TestCluster.ByteModel(new() { EosTokenIds = [ByteTokenizer.End], Temperature = 0.5f }));
        var body = cluster.Body(Streamed);
        var last = (await cluster.ReadAsync(0, body)).Events[1].Split('\n')[0][4..];

        await RefusedAsync(409, "answer_not_resumable", cluster.PostAsync(1, body, ("Last-Event-ID", last)));
    }

    [Fact]
    public async Task LastEventId_OfAnotherNumericClass_IsRefusedWithWhatIsKnown()
    {
        await using var engine = Saying("abc");
        await using var other = new ScriptedEngine { Answer = engine.Answer, Info = engine.Info with { NumericClass = engine.Info.NumericClass with { WeightsHash = "ffffffff" } } };
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        await using var elsewhere = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, other);
        var body = cluster.Body(Streamed);
        var whole = await cluster.ReadAsync(0, body);

        var error = await RefusedAsync(409, "answer_not_resumable", elsewhere.PostAsync(0, body, ("Last-Event-ID", whole.LastId)));
        Assert.Contains("cpu-v1-bf16-ffffffff", error, StringComparison.Ordinal);
    }

    private static async Task TakeOverAsync(ResumeCluster cluster, ScriptedEngine engine, int router)
    {
        var body = cluster.Body(Streamed);
        await using var first = new LiveAnswer(await cluster.PostAsync(0, body));
        engine.EmitAll(3);
        await first.ReadUntilAsync("abc");

        // The client has all but the last event: that one comes from the ids that the head holds.
        await using var second = new LiveAnswer(await cluster.PostAsync(router, body, ("Last-Event-ID", first.Answer.Ids[^2])));
        second.Answer.Expect(0);
        await second.ReadUntilAsync("c");
        Assert.Equal(first.Answer.Ids[^1], second.Answer.Ids[^1]);
        var error = (await first.ReadToEndAsync()).Error!.Value;
        Assert.Contains("taken the session over", error.GetProperty("message").GetString(), StringComparison.Ordinal);

        engine.Release();
        var answer = await second.ReadToEndAsync();
        Assert.Equal("cdefgh", answer.Text());
        Assert.True(answer.IsDone);
        Assert.Equal(9, answer.Usage!.Value.GetProperty("completion_tokens").GetInt32());
        var opened = engine.Opened.ToList();
        Assert.Equal(2, opened.Count);
        Assert.Equal(opened[0].Session, opened[1].Session);
        Assert.Equal("abc"u8.ToArray().Select(static b => (int)b), opened[1].AnswerTokenIds);
        await Eventually.TrueAsync(() => Task.FromResult(engine.ActiveCount == 0 && cluster.HeldSessions(0) == 0 && cluster.HeldSessions(1) == 0));
    }

    private static async Task<string> RefusedAsync(int status, string code, Task<HttpResponseMessage> posting)
    {
        using var response = await posting;
        Assert.Equal((HttpStatusCode)status, response.StatusCode);
        var body = await response.JsonAsync();
        Assert.Equal(code, body.ErrorCode());
        return body.GetProperty("error").GetProperty("message").GetString()!;
    }

    private static ScriptedEngine Saying(string text) => new() { Answer = _ => [.. Encoding.UTF8.GetBytes(text), ByteTokenizer.End], Info = CpuInfo };

    private static EngineInfo CpuInfo { get; } = new ScriptedEngine().Info with
    {
        NumericClass = new NumericClass(1, "0123456789abcdef", ResidualPrecision.BF16, "cpu"),
    };

    /// <summary>Events without what differs between two requests: ids and the second of their admission.</summary>
    private static IEnumerable<string> Normal(IEnumerable<string> events) => events.Select(static e =>
        Regex.Replace(
            Regex.Replace(e, "chatcmpl-[A-Za-z0-9_-]{32}(:[A-Za-z0-9_-]{28})?", "ID"), "\"created\":[0-9]+", "NOW"));
}
