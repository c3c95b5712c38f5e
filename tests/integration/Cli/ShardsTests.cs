using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Cli;

/// <summary><c>parallax worker</c>, <c>parallax router</c> and <c>parallax shards</c> as a user has them.</summary>
public sealed class ShardsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Worker_StartedEmpty_LoadsListsAndUnloadsAsTold()
    {
        await using var worker = new CliProcess("worker", "--no-model", "--port", "0", "--threads", "1", "--memory", "200MiB");
        var address = (await worker.ReadToLineAsync("worker listens on ")).Split(" on ")[1];

        var (output, code) = await ShardsAsync(address, "load", DemoModelFixture.ModelPath, "--kv-tokens", "1024");
        Assert.Equal((0, "s1 serves demo, layers 0-8 of 8."), (code, output.Trim()));
        (output, code) = await ShardsAsync(address, "list");
        Assert.Equal(0, code);
        Assert.Contains("0-8 of 8  serving", output, StringComparison.Ordinal);
        Assert.Contains(" of 200 MiB used", output, StringComparison.Ordinal);
        (output, code) = await ShardsAsync(address, "unload", "s1", "--drain", "0");
        Assert.Equal((0, "s1 is unloaded; 0 sessions were ended."), (code, output.Trim()));

        await worker.SignalAsync("-TERM");
        Assert.Equal(0, await worker.ExitCodeAsync());
    }

    [Fact]
    public async Task Load_WhatDoesNotFit_SaysTheFigures()
    {
        await using var worker = new CliProcess("worker", "--no-model", "--port", "0", "--threads", "1", "--memory", "20MiB");
        var address = (await worker.ReadToLineAsync("worker listens on ")).Split(" on ")[1];

        await using var shards = new CliProcess("shards", "load", DemoModelFixture.ModelPath, "--worker", address);

        Assert.Equal(1, (await shards.RunToEndAsync()).Code);
        Assert.Contains("layers [0,8) of demo need ", shards.Errors, StringComparison.Ordinal);
        Assert.Contains("20.0 MiB of 20.0 MiB are free", shards.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WorkerAndRouter_OnTheirOwn_ServeAsRunDoes()
    {
        await using var worker = new CliProcess("worker", "--model", DemoModelFixture.ModelPath, "--port", "0", "--threads", "1", "--residual", "f32");
        var workerAddress = (await worker.ReadToLineAsync("worker listens on ")).Split(" on ")[1];
        await using var router = new CliProcess(
            "router", "--model", DemoModelFixture.ModelPath, "--worker", workerAddress, "--port", "0", "--audit", "off", "--drain", "0");
        var address = new Uri((await router.ReadToLineAsync("router listens on ")).Split(" on ")[1]);
        using var http = new HttpClient { BaseAddress = address };
        while (!(await http.GetAsync(new Uri("/health/ready", UriKind.Relative), Token)).IsSuccessStatusCode)
        {
            await Task.Delay(20, Token);
        }

        await using var chat = new CliProcess("chat", "--url", address.ToString(), "--temperature", "0");
        var (output, code) = await chat.RunToEndAsync("What is the capital of France?\n");

        Assert.Equal((0, "Paris is the capital of France."), (code, output.Trim()));
        await router.SignalAsync("-INT");
        Assert.Equal(0, await router.ExitCodeAsync());
        await worker.SignalAsync("-INT");
        Assert.Equal(0, await worker.ExitCodeAsync());
    }

    [Fact]
    public async Task Shards_NoWorker_SaysHowToStartOne()
    {
        await using var shards = new CliProcess("shards", "list", "--worker", "http://127.0.0.1:1");

        Assert.Equal(1, (await shards.RunToEndAsync()).Code);
        Assert.Contains("'parallax worker'", shards.Errors, StringComparison.Ordinal);
    }

    private static async Task<(string Output, int Code)> ShardsAsync(string address, params string[] words)
    {
        await using var shards = new CliProcess(["shards", .. words, "--worker", address]);
        return await shards.RunToEndAsync();
    }
}
