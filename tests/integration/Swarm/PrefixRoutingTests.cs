using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Parallax.Testing.Servers;

namespace Parallax.IntegrationTests.Swarm;

/// <summary>Prompts go to the workers that have their beginnings cached, as these announce it over NATS.</summary>
[Collection(SwarmWaitsCollection.Name)]
public sealed class PrefixRoutingTests
{
    private const int Clients = 8;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SecondRequest_GoesWhereItsPrefixIsWarm_AndNatsMayDie()
    {
        Assert.SkipWhen(NatsServerProcess.MissingReason is not null, NatsServerProcess.MissingReason ?? "");
        await using var nats = await NatsServerProcess.StartAsync(new NatsServerConfig(), Token);
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, [], common: ["--nats", nats.Address.ToString()]);
        var http = await swarm.ServingAsync();

        // 1. One prompt while there is one worker; then others at once, so that both workers get some.
        var first = await AskAsync(swarm, http, 0);
        var other = await swarm.JoinAsync("other");
        await swarm.UntilServingAsync(other);
        var asked = new Dictionary<int, Asked> { [0] = first };
        var next = 1;
        using (var patience = Patience.Begin())
        {
            while (asked.Values.DistinctBy(static one => one.Path).Count() < 2)
            {
                patience.Token.ThrowIfCancellationRequested();
                var numbers = Enumerable.Range(next, Clients).ToArray();
                next += Clients;
                foreach (var (number, one) in numbers.Zip(await Task.WhenAll(numbers.Select(number => AskAsync(swarm, http, number)))))
                {
                    asked.Add(number, one);
                }
            }
        }

        Assert.All(asked.Values, static one => Assert.Equal(0, one.Cached)); // no two prompts begin alike
        await swarm.UntilAsync("the index knows what both workers have cached", async () =>
            await MetricAsync(http, "index_workers") == 2 && await MetricAsync(http, "index_blocks") >= asked.Values.Sum(static one => one.PromptTokens / 16));

        // 2. Each again, by turns at one worker and the other: each finds its own.
        var (expectedBefore, cachedBefore) = (await MetricAsync(http, "expected_tokens_total"), await MetricAsync(http, "cached_tokens_total"));
        var cached = 0L;
        foreach (var (number, before) in asked.GroupBy(static one => one.Value.Path).SelectMany(static path => path.Take(4).Index()).OrderBy(static one => one.Index).Select(static one => one.Item))
        {
            var again = await AskAsync(swarm, http, number);
            Assert.Equal(before.Path, again.Path);
            Assert.Equal((before.PromptTokens - 1) / 16 * 16, again.Cached);
            cached += again.Cached;
        }

        Assert.Equal(cached, await MetricAsync(http, "cached_tokens_total") - cachedBefore);
        Assert.Equal(cached, await MetricAsync(http, "expected_tokens_total") - expectedBefore);

        // 3. Without NATS requests go on, and with it again what was cached meanwhile is known.
        await nats.KillAsync(Token);
        await swarm.UntilAsync("the founder hears by overlay", static all => all.Telemetry == "overlay");
        var meanwhile = await AskAsync(swarm, http, 1000);
        Assert.Equal(0, meanwhile.Cached);
        await AskAsync(swarm, http, 0);
        await nats.RestartAsync(Token);
        await swarm.UntilAsync("a prompt that was cached meanwhile is expected where it is", async () =>
        {
            var before = await MetricAsync(http, "expected_tokens_total");
            var again = await AskAsync(swarm, http, 1000);
            return again.Path == meanwhile.Path && await MetricAsync(http, "expected_tokens_total") > before;
        });
        await swarm.UntilAsync("both workers' blocks are known again", async () => await MetricAsync(http, "index_workers") == 2);

        // 4. Who has gone is forgotten.
        await other.KillAsync();
        await swarm.UntilAsync("the index knows of one worker", async () => await MetricAsync(http, "index_workers") == 1);
        await AskAsync(swarm, http, 0);
    }

    /// <summary>Asks a prompt of its own number and sees where it was computed.</summary>
    private static async Task<Asked> AskAsync(SwarmProcesses swarm, HttpClient http, int number)
    {
        var text = string.Join(' ', Enumerable.Range(0, 24).Select(i => $"{number * 7} birds sat on tree {i}."));
        using var response = await http.PostAsJsonAsync(
            "/v1/chat/completions",
            new { model = "demo", messages = new[] { new { role = "user", content = text } }, max_tokens = 4, ignore_eos = true, cache_salt = $"{number}" },
            Token);
        var body = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, body);
        using var answer = JsonDocument.Parse(body);
        var usage = answer.RootElement.GetProperty("usage");
        var id = answer.RootElement.GetProperty("id").GetString()!;
        var line = await swarm.Founder.LineAsync($"{id}: {usage.GetProperty("prompt_tokens").GetInt32()} prompt tokens");
        return new Asked(
            line[(line.IndexOf(", on ", StringComparison.Ordinal) + 5)..line.IndexOf(" (", line.IndexOf(", on ", StringComparison.Ordinal), StringComparison.Ordinal)],
            usage.GetProperty("prompt_tokens").GetInt32(),
            usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32());
    }

    private static async Task<long> MetricAsync(HttpClient http, string name)
    {
        var text = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Token);
        var line = text.Split('\n').Single(line => line.StartsWith($"parallax_router_prefix_{name} ", StringComparison.Ordinal));
        return long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <param name="Path">Where it was computed.</param>
    /// <param name="PromptTokens">Of the prompt.</param>
    /// <param name="Cached">Of these, those that were cached.</param>
    private sealed record Asked(string Path, int PromptTokens, int Cached);
}
