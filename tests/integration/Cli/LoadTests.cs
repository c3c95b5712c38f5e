using System.Globalization;
using System.Net;
using Parallax.IntegrationTests.Services;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Cli;

/// <summary>Many requests, and how much memory a server takes.</summary>
public sealed class LoadTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_ThousandRequestsOfManyClients_LosesNoneAndItsMemoryStaysFlat()
    {
        // The KV cache is touched block by block: a small one is full, and its memory all there, before the count begins.
        var process = CliProcess.ThroughScript(Path.Combine(TestData.RepositoryRoot, "parallax"), Path.GetTempPath(), "run", "--port", "0", "--ctx", "256", "--workers", "1");
        Assert.SkipWhen(process is null, CliProcess.NoScript);
        await using var server = await RunningServer.StartAsync(process);
        await AskAsync(server, 0, 300);
        var warm = server.Process.WorkingSet;
        await AskAsync(server, 300, 1000);
        var end = server.Process.WorkingSet;

        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"after 300 requests {warm >> 20} MiB, after 1,300 {end >> 20} MiB, at most {server.Process.PeakWorkingSet >> 20} MiB"));
        Assert.InRange(end - warm, long.MinValue, GrowthBound);
    }

    [Fact]
    public async Task Run_SmolLm2_KnowsTheCapitalOfFranceWithinItsMemory()
    {
        var model = TestData.PathOf("models", "smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
        Assert.SkipWhen(TestData.MissingReason(model) is not null, TestData.MissingReason(model) ?? "");
        await using var server = await RunningServer.StartAsync("--ctx", "2048", "--model", model);

        using (var answer = await server.PostAsync("SmolLM2-135M-Instruct.Q4_1", "What is the capital of France?", "\"temperature\": 0"))
        {
            Assert.Contains("Paris", (await answer.JsonAsync()).Text(), StringComparison.Ordinal);
        }

        // A prompt that fills most of the context.
        var text = string.Concat(Enumerable.Repeat("The sea was calm and the wind was gone. ", 180));
        using (var answer = await server.PostAsync("SmolLM2-135M-Instruct.Q4_1", text, "\"temperature\": 0, \"max_tokens\": 16"))
        {
            Assert.InRange((await answer.JsonAsync()).GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), 1500, 2032);
        }

        Assert.InRange(server.Process.PeakWorkingSet, 100L << 20, 400L * 1000 * 1000);
    }

    /// <summary>
    /// What compiled code, the collector's reserve (16 MiB), the ids of ended sessions, which workers keep for 60 s, and the audit's
    /// caches, which are bounded, may add from one look to the next. A leak of what a request allocates (some 50 KB) would be 50 MB
    /// over 1,000 requests.
    /// </summary>
    private const long GrowthBound = 40L << 20;

    private static Task AskAsync(RunningServer server, int first, int count) => Parallel.ForEachAsync(
        Enumerable.Range(first, count),
        new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Token },
        async (i, _) =>
        {
            var fields = string.Create(CultureInfo.InvariantCulture, $"\"max_tokens\": 8, \"seed\": {i}, \"ignore_eos\": true, \"stream\": {(i % 2 == 0 ? "true" : "false")}");
            using var answer = await server.PostAsync("demo", $"What is {i % 20} + {i % 7}?", fields);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            if (i % 2 == 0)
            {
                var stream = await answer.StreamAsync();
                Assert.True(stream.IsDone && stream.Error is null);
                Assert.Equal("length", stream.FinishReasons[0]);
            }
            else
            {
                var usage = (await answer.JsonAsync()).GetProperty("usage");
                Assert.Equal(8, usage.GetProperty("completion_tokens").GetInt32());
            }
        });
}
