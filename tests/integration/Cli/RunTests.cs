using System.Net;
using System.Text.Json;
using Parallax.IntegrationTests.Services;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Cli;

/// <summary>What a user of <c>parallax run</c> and <c>parallax chat</c> sees, with the bundled model.</summary>
public sealed class RunTests(DemoServerFixture demo) : IClassFixture<DemoServerFixture>
{
    // The class with f32 residuals reproduces the reference to 2e-4 (session protocol, "Numeric class and exactness").
    private const double Tolerance = 2e-4;
    private readonly RunningServer _server = demo.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Golden()
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TestData.RepositoryRoot, "models", "demo", "golden.json")));
        var data = new TheoryData<string, string>();
        foreach (var reference in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            if (reference.GetProperty("greedy_margin").EnumerateArray().All(static margin => margin.GetDouble() > Tolerance))
            {
                data.Add(reference.GetProperty("messages")[0].GetProperty("content").GetString()!, reference.GetProperty("greedy_text").GetString()!);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Golden))]
    public async Task Run_GoldenQuestion_GivesTheReferenceAnswerStreamedAndNot(string question, string answer)
    {
        using var whole = await _server.PostAsync("demo", question, "\"temperature\": 0");
        using var streamed = await _server.PostAsync("demo", question, "\"temperature\": 0, \"stream\": true");

        Assert.Equal(answer, (await whole.JsonAsync()).Text());
        var stream = await streamed.StreamAsync();
        Assert.Equal(answer, stream.Text());
        Assert.Equal("stop", stream.FinishReasons[0]);
        Assert.True(stream.IsDone);
    }

    [Fact]
    public async Task Run_Started_IsAliveReadyAndNamesItsModel()
    {
        foreach (var path in (string[])["/health/live", "/health/ready", "/metrics"])
        {
            using var answer = await _server.Http.GetAsync(path, Token);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var models = await (await _server.Http.GetAsync("/v1/models", Token)).JsonAsync();
        Assert.Equal("demo", models.GetProperty("data")[0].GetProperty("id").GetString());
        Assert.Equal(2048, models.GetProperty("data")[0].GetProperty("max_model_len").GetInt32());
    }

    [Fact]
    public async Task Run_PortTaken_SaysSoBeforeLoading()
    {
        await using var second = new CliProcess("run", "--port", $"{_server.Address.Port}");

        var (output, code) = await second.RunToEndAsync();

        Assert.Equal(5, code);
        Assert.Equal("", output);
        Assert.StartsWith($"Port {_server.Address.Port} on 127.0.0.1 is taken", second.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Loading", second.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NotAModel_SaysWhatItLacks()
    {
        var folder = Directory.CreateTempSubdirectory("parallax-");
        try
        {
            await using var run = new CliProcess("run", "--port", "0", "--model", folder.FullName);

            Assert.Equal(3, (await run.RunToEndAsync()).Code);
            Assert.Contains("config.json", run.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", run.Errors, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Chat_Piped_AnswersEachLine()
    {
        await using var chat = new CliProcess("chat", "--url", _server.Address.ToString(), "--temperature", "0");

        var (output, code) = await chat.RunToEndAsync("What is the capital of France?\n/reset\nWhat is 7 + 8?\n");

        Assert.Equal(0, code);
        Assert.Equal(["Paris is the capital of France.", "7 + 8 = 15.", ""], output.Split(Environment.NewLine));
    }

    [Fact]
    public async Task Chat_LimitReached_SaysSo()
    {
        await using var chat = new CliProcess("chat", "--url", _server.Address.ToString(), "--temperature", "0", "--max-tokens", "3");

        var (output, code) = await chat.RunToEndAsync("Who are you?\n");

        Assert.Equal(0, code);
        Assert.StartsWith("I am", output, StringComparison.Ordinal);
        Assert.Contains("--max-tokens", chat.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chat_OtherModel_NamesTheServed()
    {
        await using var chat = new CliProcess("chat", "--url", _server.Address.ToString(), "--model", "gpt");

        Assert.Equal(1, (await chat.RunToEndAsync("hi\n")).Code);
        Assert.Contains("'gpt'; it serves: demo", chat.Errors, StringComparison.Ordinal);
    }
}
