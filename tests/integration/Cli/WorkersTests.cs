using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Cli;

/// <summary>The bundled model cut over three workers, and whole, started once for a class of tests.</summary>
public sealed class WorkersFixture : IAsyncLifetime
{
    private RunningServer? _whole;
    private RunningServer? _cut;

    internal RunningServer Whole => _whole!;

    internal RunningServer Cut => _cut!;

    public async ValueTask InitializeAsync()
    {
        _whole = await RunningServer.StartAsync("--workers", "1");
        _cut = await RunningServer.StartAsync("--workers", "3");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in new[] { _whole, _cut })
        {
            if (server is not null)
            {
                await server.DisposeAsync();
            }
        }
    }
}

/// <summary><c>parallax run --workers 3</c> says what <c>--workers 1</c> says.</summary>
public sealed class WorkersTests(WorkersFixture servers) : IClassFixture<WorkersFixture>
{
    public static TheoryData<string> Questions =>
    [
        "What is the capital of France?",
        "What is 7 + 8?",
        "Tell me a story.",
        "Who are you?",
    ];

    [Theory]
    [MemberData(nameof(Questions))]
    public Task Run_ThreeWorkers_TemperatureZero_AnswersByteForByteAsOne(string question) =>
        AssertSameAsync(question, "\"temperature\": 0, \"max_tokens\": 48");

    [Theory]
    [MemberData(nameof(Questions))]
    public Task Run_ThreeWorkers_SeededSampling_AnswersByteForByteAsOne(string question) =>
        AssertSameAsync(question, "\"temperature\": 1, \"seed\": 42, \"max_tokens\": 48, \"ignore_eos\": true");

    [Fact]
    public async Task Run_ThreeWorkers_ManyAtOnce_AnswerAsOneEach()
    {
        var fields = Enumerable.Range(0, 12).Select(static i => FormattableString.Invariant($"\"temperature\": 1, \"seed\": {i}, \"max_tokens\": 32, \"ignore_eos\": true")).ToList();
        var together = await Task.WhenAll(fields.Select(one => AnswerAsync(servers.Cut, "Tell me a story.", one)));

        for (var i = 0; i < fields.Count; i++)
        {
            Assert.Equal(await AnswerAsync(servers.Whole, "Tell me a story.", fields[i]), together[i]);
        }
    }

    [Fact]
    public async Task Run_NoNumberNamed_ShowsThreeStages()
    {
        await using var run = new CliProcess("run", "--port", "0");
        var first = await run.ReadToLineAsync("stages ");
        var second = await run.ReadToLineAsync("worker-2: layers ");
        var third = await run.ReadToLineAsync("worker-3: layers ");

        Assert.Contains("worker-1: layers 0-", first, StringComparison.Ordinal);
        Assert.Contains("https://127.0.0.1:", second, StringComparison.Ordinal);
        Assert.Contains("-8, ", third, StringComparison.Ordinal);
        await run.SignalAsync("-TERM");
        Assert.Equal(0, await run.ExitCodeAsync());
    }

    [Fact]
    public async Task Run_MoreWorkersThanLayers_SaysSoAndTakesOneForEach()
    {
        await using var server = await RunningServer.StartAsync("--workers", "20", "--threads", "1");

        Assert.Contains("The model has 8 layers: 8 workers instead of 20.", server.Process.Errors, StringComparison.Ordinal);
        Assert.Equal(
            await AnswerAsync(servers.Whole, "What is 7 + 8?", "\"temperature\": 0"),
            await AnswerAsync(server, "What is 7 + 8?", "\"temperature\": 0"));
    }

    private static async Task<string> AnswerAsync(RunningServer server, string question, string fields)
    {
        using var response = await server.PostAsync("demo", question, fields);
        var answer = await response.JsonAsync();
        return $"{answer.GetProperty("system_fingerprint").GetString()} {answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32()} {answer.GetProperty("choices")[0].GetRawText()}";
    }

    private async Task AssertSameAsync(string question, string fields) =>
        Assert.Equal(await AnswerAsync(servers.Whole, question, fields), await AnswerAsync(servers.Cut, question, fields));
}
