using System.Text;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Pipeline;

/// <summary>A model cut over processes: the answers of one process, whatever happens to the links.</summary>
public sealed class StageProcessesTests(StageProcessesFixture fixture) : IClassFixture<StageProcessesFixture>
{
    /// <summary>Longer than a pause of the test: what happens to a link happens in mid-answer.</summary>
    private const string Long = "\"temperature\": 1, \"ignore_eos\": true, \"max_tokens\": 700, \"seed\": ";

    private readonly HttpClient _whole = fixture.Whole;

    private StageProcesses Stages => fixture.Stages;

    [Fact]
    public async Task Answers_OverThreeProcesses_AreThoseOfOne()
    {
        for (var seed = 0; seed < 4; seed++)
        {
            var fields = $"\"temperature\": 1, \"ignore_eos\": true, \"max_tokens\": 200, \"logprobs\": true, \"top_logprobs\": 3, \"seed\": {seed}";
            Assert.Equal(await BodyAsync(_whole, fields), await BodyAsync(Stages.Http, fields));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Link_DownForTwoSecondsInMidAnswer_LosesAndRepeatsNothing(int stage)
    {
        await using var live = new LiveAnswer(await Stages.AskAsync("Tell me a story.", Long + "5"));
        await live.ReadUntilAsync(20);

        Stages.Proxies[stage].IsDown = true;
        await Task.Delay(TimeSpan.FromSeconds(0.5), TestContext.Current.CancellationToken);
        var before = await TokensAsync();
        await Task.Delay(TimeSpan.FromSeconds(1.5), TestContext.Current.CancellationToken);
        Assert.Equal(before, await TokensAsync()); // the link that was cut is one that the answer needs
        Stages.Proxies[stage].IsDown = false;

        var answer = await live.ReadToEndAsync();
        Assert.Null(answer.Error);
        Assert.Equal(await TextAsync(_whole, Long + "5"), answer.Text());
    }

    [Fact]
    public async Task Links_CutAgainAndAgainUnderManyAnswers_LoseAndRepeatNothing()
    {
        var answers = Enumerable.Range(0, 4).Select(async seed => await (await Stages.AskAsync("Tell me a story.", Long + seed)).StreamAsync()).ToArray();
        for (var i = 0; i < 9; i++)
        {
            Stages.Proxies[i % 3].Cut();
            await Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
        }

        for (var seed = 0; seed < answers.Length; seed++)
        {
            var answer = await answers[seed];
            Assert.Null(answer.Error);
            Assert.Equal(await TextAsync(_whole, Long + seed), answer.Text());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Worker_KilledAndStartedAgain_TheAnswerGoesOn(int stage)
    {
        await using (var live = new LiveAnswer(await Stages.AskAsync("Tell me a story.", Long + "7")))
        {
            await live.ReadUntilAsync(5);
            await Stages.ReplaceAsync(stage);
            var answer = await live.ReadToEndAsync();
            Assert.Null(answer.Error);
            Assert.Equal(await TextAsync(_whole, Long + "7"), answer.Text());
        }

        await Stages.ReadyAsync();
        Assert.Equal(await TextAsync(_whole, Long + "8"), await TextAsync(Stages.Http, Long + "8"));
    }

    /// <summary>The router's count of tokens that clients have.</summary>
    private async Task<string> TokensAsync()
    {
        var metrics = await Stages.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        return metrics.Split('\n').Single(static line => line.StartsWith("parallax_router_tokens_total", StringComparison.Ordinal));
    }

    private static async Task<string> TextAsync(HttpClient http, string fields)
    {
        var answer = await (await StageProcesses.AskAsync(http, "Tell me a story.", fields)).StreamAsync();
        Assert.Null(answer.Error);
        return answer.Text();
    }

    /// <summary>Every choice with its text and log-probabilities.</summary>
    private static async Task<string> BodyAsync(HttpClient http, string fields)
    {
        var answer = await (await StageProcesses.AskAsync(http, "What is the capital of France?", fields)).StreamAsync();
        Assert.Null(answer.Error);
        var all = new StringBuilder();
        foreach (var chunk in answer.Chunks)
        {
            all.AppendLine(chunk.GetProperty("choices").GetRawText());
        }

        return all.ToString();
    }
}
