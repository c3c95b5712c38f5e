using System.Net;
using System.Text.Json;

namespace Parallax.IntegrationTests.Services;

/// <summary>Chat with the bundled model: HTTP, router, gRPC, worker, engine, all real.</summary>
public class DemoModelTests(DemoModelFixture demo) : IClassFixture<DemoModelFixture>
{
    private const string Greedy = "\"temperature\": 0, \"max_tokens\": 48";
    private const string Sampled = "\"temperature\": 1.2, \"top_p\": 1, \"max_tokens\": 32, \"ignore_eos\": true";
    private readonly TestCluster _cluster = demo.Cluster;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Chat_Greedy_GivesTheReferenceAnswers()
    {
        using var golden = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(DemoModelFixture.ModelPath, "golden.json"), Token));
        var clear = 0;
        foreach (var reference in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            var messages = reference.GetProperty("messages");
            var least = reference.GetProperty("greedy_margin").EnumerateArray().Min(static m => m.GetDouble());
            if (messages.GetArrayLength() != 1 || least < 0.1)
            {
                continue; // a step within the numeric class's tolerance (bf16 residuals) may go either way
            }

            var answer = await (await _cluster.PostAsync(Greedy, JsonEscaped(messages[0].GetProperty("content").GetString()!))).JsonAsync();
            Assert.Equal(reference.GetProperty("input_ids").GetArrayLength(), answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
            Assert.StartsWith(answer.Text(), reference.GetProperty("greedy_text").GetString(), StringComparison.Ordinal);
            Assert.NotEmpty(answer.Text());
            clear++;
        }

        Assert.True(clear > 0, "no case has clear margins");
    }

    [Theory]
    [InlineData(Greedy)]
    [InlineData(Sampled + ", \"seed\": 7")]
    [InlineData(Sampled + ", \"seed\": 8, \"stop\": [\"e\", \"qq\"]")]
    [InlineData(Sampled + ", \"seed\": 9, \"n\": 3, \"repetition_penalty\": 1.1, \"top_k\": 50")]
    public async Task Chat_StreamedAndNot_AreTheSame(string fields)
    {
        var whole = await (await _cluster.PostAsync(fields)).JsonAsync();
        var streamed = await (await _cluster.PostAsync($"{fields}, \"stream\": true, \"stream_options\": {{\"include_usage\": true}}")).StreamAsync();

        Assert.True(streamed.IsDone);
        for (var choice = 0; choice < whole.GetProperty("choices").GetArrayLength(); choice++)
        {
            Assert.Equal(whole.Text(choice), streamed.Text(choice));
            Assert.Equal(whole.FinishReason(choice), streamed.FinishReasons[choice]);
        }

        Assert.Equal(
            whole.GetProperty("usage").GetProperty("completion_tokens").GetInt32(),
            streamed.Usage!.Value.GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Chat_Seed_DecidesTheAnswer()
    {
        var texts = new List<string>();
        foreach (var seed in new[] { 1, 1, 2 })
        {
            texts.Add((await (await _cluster.PostAsync($"{Sampled}, \"seed\": {seed}")).JsonAsync()).Text());
        }

        Assert.Equal(texts[0], texts[1]);
        Assert.NotEqual(texts[0], texts[2]);
    }

    [Fact]
    public async Task Chat_SeveralChoices_DifferAndTheFirstIsTheOneOfAlone()
    {
        var alone = await (await _cluster.PostAsync($"{Sampled}, \"seed\": 3")).JsonAsync();
        var both = await (await _cluster.PostAsync($"{Sampled}, \"seed\": 3, \"n\": 2")).JsonAsync();

        Assert.Equal(alone.Text(), both.Text(0));
        Assert.NotEqual(both.Text(0), both.Text(1));
        Assert.Equal(64, both.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Chat_StopString_CutsTheAnswerThere()
    {
        var whole = (await (await _cluster.PostAsync($"{Sampled}, \"seed\": 4")).JsonAsync()).Text();
        var stop = whole.Substring(whole.Length / 2, 3);

        var cut = await (await _cluster.PostAsync($"{Sampled}, \"seed\": 4, \"stop\": \"{JsonEscaped(stop)}\"")).JsonAsync();

        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], cut.Text());
        Assert.Equal("stop", cut.FinishReason());
        Assert.InRange(cut.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), 1, 31);
    }

    [Fact]
    public async Task Chat_LogProbsOfGreedy_ArePutOnTheMostProbable()
    {
        var answer = await (await _cluster.PostAsync($"{Greedy}, \"logprobs\": true, \"top_logprobs\": 3")).JsonAsync();

        var entries = answer.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content").EnumerateArray().ToList();
        Assert.Equal(answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), entries.Count);
        Assert.All(entries, static entry =>
        {
            Assert.InRange(entry.GetProperty("logprob").GetDouble(), -20, 0);
            Assert.Equal(3, entry.GetProperty("top_logprobs").GetArrayLength());
            Assert.Equal(entry.GetProperty("token").GetString(), entry.GetProperty("top_logprobs")[0].GetProperty("token").GetString());
        });
    }

    [Fact]
    public async Task Chat_SameLongPromptAgain_ComesFromTheCacheAndSaysTheSame()
    {
        var content = string.Concat(Enumerable.Repeat("What is the capital of France? ", 8));
        var first = await (await _cluster.PostAsync(Greedy, content)).JsonAsync();
        var second = await (await _cluster.PostAsync(Greedy, content)).JsonAsync();

        Assert.Equal(0, first.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32());
        Assert.InRange(second.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32(), 16, 1000);
        Assert.Equal(first.Text(), second.Text());
    }

    [Fact]
    public async Task Chat_TooLong_NamesTheFigures()
    {
        using var response = await _cluster.PostAsync(content: string.Concat(Enumerable.Repeat("a b c d ", 2000)));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("context_length_exceeded", (await response.JsonAsync()).ErrorCode());
    }

    [Fact]
    public async Task Chat_ClientKilledInMidStream_StopsTheEngineWithinItsRunAhead()
    {
        var response = await _cluster.PostAsync("\"stream\": true, \"ignore_eos\": true, \"temperature\": 0");
        var before = demo.Engine.Engine.ReadStats();
        await using (var live = new LiveAnswer(response))
        {
            await live.ReadUntilAsync(3);
        }

        await IdleAsync();
        var after = demo.Engine.Engine.ReadStats();
        Assert.Equal(before.SessionsCancelled + 1, after.SessionsCancelled);

        // Without the cancellation it would have been the whole context, some 2,000 tokens.
        Assert.InRange(after.DecodeTokens - before.DecodeTokens, 1, 200);
    }

    [Fact]
    public async Task Chat_ManyClients_NoneIsLostAndNoneIsChangedByTheOthers()
    {
        string[] questions = ["What is the capital of France?", "Who are you?", "What is 3 plus 4?", "Tell me a story.", "What is the capital of Italy?"];
        var alone = new Dictionary<string, string>();
        var fields = Sampled.Replace("32", "12", StringComparison.Ordinal) + ", \"seed\": 11";
        foreach (var question in questions)
        {
            alone[question] = (await (await _cluster.PostAsync(fields, question)).JsonAsync()).Text();
        }

        await Parallel.ForEachAsync(Enumerable.Range(0, 96), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Token }, async (i, _) =>
        {
            var question = questions[i % questions.Length];
            var stream = i % 3 == 0;
            var response = await _cluster.PostAsync(stream ? $"{fields}, \"stream\": true" : fields, question);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(alone[question], stream ? (await response.StreamAsync()).Text() : (await response.JsonAsync()).Text());
        });

        await IdleAsync();
        Assert.Equal(0, demo.Engine.Engine.ReadStats().SessionsFailed);
    }

    private async Task IdleAsync()
    {
        while (demo.Engine.Engine.ReadStats() is { } now && now.RunningSessions + now.WaitingSessions > 0)
        {
            await Task.Delay(1, Token);
        }
    }

    private static string JsonEscaped(string text) => JsonEncodedText.Encode(text).ToString();
}
