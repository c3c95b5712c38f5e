using System.Globalization;
using System.Text.RegularExpressions;
using Parallax.Identity;
using Parallax.IntegrationTests.Swarm;
using Parallax.Testing;
using Parallax.Testing.Servers;

namespace Parallax.IntegrationTests.KvCache;

/// <summary>Real processes: what a worker has computed, the one that takes its sessions over fetches from the KV cache.</summary>
[Collection(SwarmCollection.Name)]
public sealed partial class TakeoverTests
{
    private static readonly string Model = TestData.PathOf("models", "smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("killed, and the KV cache before it")]
    [InlineData("killed, after the KV cache lost everything")]
    [InlineData("leaves")]
    public async Task Worker_Gone_WhatItHasComputedIsFetchedByAnother_AndTheTextIsTheSame(string how)
    {
        Assert.SkipWhen(TestData.MissingReason(Model) is not null, TestData.MissingReason(Model) ?? "");

        // The founder's worker has no room for a layer; the two others have room for the whole model each.
        await using var swarm = await SwarmProcesses.FoundAsync(Model, ["--memory", "4MiB", "--ctx", "2048", "--max-batch", "4"]);
        var port = ServerPrograms.FreePort();
        string[] service =
        [
            "kvcache", "--join", swarm.FounderAddress, "--token", await swarm.TokenAsync(MemberRoles.KvCache), "--memory", "256MiB",
            "--folder", swarm.StateOf("blocks"), "--http-port", $"{port}",
        ];
        var cache = swarm.Start("cache", "cache", service);
        await cache.LineAsync("kvcache listens on ");
        using var metrics = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        var first = await swarm.JoinAsync("first");
        var http = await swarm.ServingAsync();
        await swarm.UntilServingAsync(first);

        // A long prompt of a model that takes its time: to fetch is cheaper than to compute.
        var story = new Story(Path.GetFileNameWithoutExtension(Model), 1, 40)
        {
            Question = string.Join(' ', Enumerable.Range(0, 150).Select(static n => $"Number {n}.")),
        };
        var text = await story.ReadAsync(http);
        await swarm.UntilAsync("20 blocks of 30 layers are written", async () => await CountAsync(metrics, "parallax_kvcache_puts") >= 20 * 30);
        var isCacheRestarted = how.Contains("and the KV cache", StringComparison.Ordinal);
        if (isCacheRestarted)
        {
            await swarm.UntilAsync("they are on disk", async () => await CountAsync(metrics, "parallax_kvcache_unwritten") == 0);
            await cache.KillAsync();
            cache = swarm.Start("cache", "cache", service);
            await cache.LineAsync("kvcache listens on ");
        }

        if (how.Contains("lost everything", StringComparison.Ordinal))
        {
            await cache.KillAsync();
            cache = swarm.Start("cache", "cache", [.. service[..7], .. service[^2..]]); // no disk
            await cache.LineAsync("kvcache listens on ");
            // The worker finds out while it computes something; what it computes anew is far less.
            var another = story with { Question = "Tell me another one." };
            await swarm.UntilAsync("20 blocks are written again", async () =>
            {
                await another.ReadAsync(http);
                return await CountAsync(metrics, "parallax_kvcache_puts") >= 20 * 30;
            });
        }

        var second = await swarm.JoinAsync("second");
        await swarm.UntilServingAsync(second);
        Assert.Equal(0, await CountAsync(metrics, "parallax_kvcache_hits"));
        if (how == "leaves")
        {
            await first.SignalAsync("-INT");
            Assert.Equal(0, await first.ExitCodeAsync());
            Assert.Contains(first.Lines, static line => line.Contains("KV blocks over to the KV cache", StringComparison.Ordinal));
        }
        else
        {
            await first.SignalAsync("-KILL");
        }

        await swarm.UntilAsync("the first is gone", static all => all.Workers.All(static worker => worker.Name != "first"));
        Assert.Equal(text, await story.ReadAsync(http));
        Assert.True(await CountAsync(metrics, "parallax_kvcache_hits") > 0, $"nothing was fetched\n{swarm.Said}");
        Assert.Equal(isCacheRestarted, await CountAsync(metrics, "parallax_kvcache_hits_disk") > 0);
    }

    private static async Task<double> CountAsync(HttpClient http, string name)
    {
        var text = await http.GetStringAsync("/metrics", Token);
        return MetricLine().Matches(text).Where(match => match.Groups[1].Value == name || match.Groups[1].Value.StartsWith(name + "_", StringComparison.Ordinal))
            .Sum(static match => double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^(parallax_kvcache_\w+)(?:\{[^}]*\})? ([0-9.e+]+)", RegexOptions.Multiline)]
    private static partial Regex MetricLine();
}
