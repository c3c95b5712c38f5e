using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Parallax.IntegrationTests.Services;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Cli;

/// <summary>How the command starts, ends and measures.</summary>
public sealed class LifecycleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("-TERM")]
    [InlineData("-INT")]
    public async Task Run_Asked_StopsWithinSecondsAndLeavesNothing(string signal)
    {
        await using var server = await RunningServer.StartAsync("--threads", "1");
        using var answer = await server.PostAsync("demo", "Who are you?", "\"temperature\": 0");
        Assert.NotEmpty((await answer.JsonAsync()).Text());
        Assert.Empty(await ChildrenAsync(server.Process.Id));

        var began = Stopwatch.GetTimestamp();
        await server.Process.SignalAsync(signal);

        Assert.Equal(0, await server.Process.ExitCodeAsync());
        Assert.InRange(Stopwatch.GetElapsedTime(began).TotalSeconds, 0, 30);
        using var socket = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(async () => await socket.ConnectAsync("127.0.0.1", server.Address.Port, Token));
    }

    [Fact]
    public async Task Run_AskedInMidStream_EndsTheAnswerAndStops()
    {
        await using var server = await RunningServer.StartAsync("--threads", "1");
        var response = await server.PostAsync("demo", "Tell me a story.", "\"stream\": true, \"ignore_eos\": true");
        await using var live = new LiveAnswer(response);
        await live.ReadUntilAsync(3);

        var began = Stopwatch.GetTimestamp();
        await server.Process.SignalAsync("-TERM");

        Assert.Equal(0, await server.Process.ExitCodeAsync());
        Assert.InRange(Stopwatch.GetElapsedTime(began).TotalSeconds, 0, 30);
    }

    [Fact]
    public async Task Run_DefaultPrecision_AnswersClearCasesAlike()
    {
        await using var server = await RunningServer.StartAsync();
        using var answer = await server.PostAsync("demo", "What is the capital of France?", "\"temperature\": 0");

        // Its least margin is 0.094, the tolerance with bf16 residuals 0.03.
        Assert.Equal("Paris is the capital of France.", (await answer.JsonAsync()).Text());
    }

    [Fact]
    public async Task Chat_NoServer_SaysHowToStartOne()
    {
        await using var chat = new CliProcess("chat", "--url", "http://127.0.0.1:1");

        Assert.Equal(1, (await chat.RunToEndAsync("hi\n")).Code);
        Assert.Contains("'parallax run'", chat.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bench_QuickAsJson_HasAFigureForEverything()
    {
        await using var bench = new CliProcess("bench", "--quick", "--json");

        var (output, code) = await bench.RunToEndAsync();

        Assert.Equal(0, code);
        using var document = JsonDocument.Parse(output);
        var subject = document.RootElement.GetProperty("subjects")[0];
        Assert.Equal("demo", document.RootElement.GetProperty("model").GetString());
        Assert.InRange(subject.GetProperty("prefill_tokens_per_second").GetProperty("median").GetDouble(), 1, 1e7);
        Assert.InRange(subject.GetProperty("decode_tokens_per_second").GetProperty("median").GetDouble(), 1, 1e6);
        Assert.Equal(["1", "4"], subject.GetProperty("batch_tokens_per_second").EnumerateObject().Select(static b => b.Name));
        Assert.InRange(subject.GetProperty("peak_bytes").GetInt64(), 15L << 20, 2L << 30);
    }

    [Fact]
    public async Task Info_DemoModelAsJson_SaysWhatItIs()
    {
        await using var info = new CliProcess("info", "--json");

        var (output, code) = await info.RunToEndAsync();

        Assert.Equal(0, code);
        using var document = JsonDocument.Parse(output);
        Assert.Equal("qwen3", document.RootElement.GetProperty("architecture").GetString());
        Assert.Equal(8, document.RootElement.GetProperty("layers").GetInt32());
        Assert.Equal(8 * 2 * 2 * 64 * 2, document.RootElement.GetProperty("kv_bytes_per_token_bf16").GetInt32());
    }

    [Fact]
    public async Task Tokenize_TextOfAPipe_GivesItsIds()
    {
        await using var tokenize = new CliProcess("tokenize", "--ids", "--special");

        var (output, code) = await tokenize.RunToEndAsync("<|im_start|>user\nWhat is the capital of France?");

        Assert.Equal(0, code);
        Assert.Equal("1 448 272 201 1698 362 265 1910 2593 287 1609 714 33", output.Trim());
    }

    [Fact]
    public async Task Script_ThroughALinkFromAnotherFolder_RunsTheBuiltProgram()
    {
        var folder = Directory.CreateTempSubdirectory("parallax-");
        try
        {
            var link = Path.Combine(folder.FullName, "plx");
            File.CreateSymbolicLink(link, Path.Combine(TestData.RepositoryRoot, "parallax"));
            await using var script = CliProcess.ThroughScript(link, folder.FullName, "--version");
            Assert.SkipWhen(script is null, CliProcess.NoScript);

            var (output, code) = await script.RunToEndAsync();

            Assert.Equal(0, code);
            Assert.StartsWith("0.1.0", output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string[]> ChildrenAsync(int process)
    {
        var file = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/task/{process}/children");
        return File.Exists(file) ? (await File.ReadAllTextAsync(file, Token)).Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
    }
}
