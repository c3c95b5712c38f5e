using System.Globalization;
using System.Text.Json.Nodes;
using Parallax.Benchmarks.Common;
using Parallax.Cli.Chaos;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Report;
using Parallax.Cli.Chaos.Traffic;
using Parallax.Hosting;
using Parallax.Runtime.Tokenization;
using Parallax.SwarmBenchmark.Processes;
using Parallax.Testing.Servers;

namespace Parallax.SwarmBenchmark.Prefixes;

/// <summary>
/// Bursts of clients whose prompts begin alike. Before each, one client has asked with that prefix, so that one pipeline has it.
/// A router for each way of choosing paths, all over the same workers, by turns; first without a KV cache, then with one.
/// Answers to the same questions are compared with each other, whatever their way.
/// </summary>
internal sealed class PrefixesRun(string model, ulong seed, TimeProvider clock)
{
    private const int SuffixTokens = 24;
    private const int AnswerTokens = 8;
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan AfterWarming = TimeSpan.FromSeconds(1); // its blocks are announced, and given to the KV cache

    private static readonly string[] Rules = ["cheapest", "least-loaded", "random"];

    private readonly Dictionary<(bool WithCache, string Rule), List<double>> _firstTokens = [];
    private readonly Dictionary<(int Round, int Client), string> _answers = [];
    private readonly ITokenizer _tokenizer = ModelTokenizer.Load(model);
    private int _bad;

    /// <summary>Clients at once.</summary>
    public required int Clients { get; init; }

    /// <summary>Workers that have the whole model.</summary>
    public required int Pipelines { get; init; }

    /// <summary>Tokens that the prompts share.</summary>
    public required int PrefixTokens { get; init; }

    /// <summary>Bursts of each kind.</summary>
    public required int Rounds { get; init; }

    public async Task<int> RunAsync(TextWriter output, TextWriter progress, CancellationToken cancellationToken)
    {
        ReportText.WriteHead(output, $"{Path.GetFileName(model)}, {Pipelines} pipelines of one worker of one thread; bursts of {Clients} clients that share {PrefixTokens} tokens, each with {SuffixTokens} of its own; {Rounds} bursts of each kind");
        await Measurement.UntilInterruptedAsync(() => MeasureAsync(output, progress, cancellationToken), () => _firstTokens.Count > 0, output, cancellationToken);
        Report(output);
        return _bad == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task MeasureAsync(TextWriter output, TextWriter progress, CancellationToken cancellationToken)
    {
        await using var nats = await NatsServerProcess.StartAsync(new NatsServerConfig(), cancellationToken);
        var longest = PrefixTokens + SuffixTokens + AnswerTokens + 128;
        await using var swarm = await MeasuredSwarm.StartAsync(
            model,
            ["--ctx", Text(longest), "--kv-tokens", Text((Clients + 1) * longest), "--max-batch", Text(Clients), "--max-pipelines", Text(Pipelines)],
            Pipelines,
            ["--memory", "2GiB"],
            ["--nats", nats.Address.ToString()],
            cancellationToken);
        output.WriteLine($"Layers: {(await swarm.LayersAsync()).Replace("\n", "; ", StringComparison.Ordinal)}");
        var routers = new Dictionary<string, ChatClient>(StringComparer.Ordinal);
        try
        {
            foreach (var rule in Rules)
            {
                routers[rule] = new ChatClient([await swarm.RouterAsync(rule, "--paths", rule)], clock, StuckAfter);
            }

            foreach (var withCache in new[] { false, true })
            {
                if (withCache)
                {
                    await swarm.StartCacheAsync("2GiB");
                }

                await BurstAsync(routers[Rules[^1]], round: -1, cancellationToken); // for the compiler
                for (var round = 0; round < Rounds; round++)
                {
                    foreach (var rule in Rules)
                    {
                        var times = await BurstAsync(routers[rule], round, cancellationToken);
                        (_firstTokens.TryGetValue((withCache, rule), out var known) ? known : _firstTokens[(withCache, rule)] = []).AddRange(times);
                        await progress.WriteLineAsync($"{(withCache ? "with" : "without")} the KV cache, {rule}, burst {round + 1} of {Rounds}: p50 {Percentiles.Of(times, 0.5):0} ms");
                    }
                }
            }
        }
        finally
        {
            foreach (var router in routers.Values)
            {
                router.Dispose();
            }
        }
    }

    /// <summary>One client alone, then all at once; their times to first token in milliseconds.</summary>
    private async Task<IReadOnlyList<double>> BurstAsync(ChatClient client, int round, CancellationToken cancellationToken)
    {
        var name = await client.ModelAsync(cancellationToken);
        var prefix = ChatQuestions.Text(_tokenizer, PrefixTokens, new Draws(seed + (ulong)(round + 1)));
        var salt = Guid.NewGuid().ToString();
        await AskAsync(-1);
        await Task.Delay(AfterWarming, clock, cancellationToken);
        var results = await Task.WhenAll(Enumerable.Range(0, Clients).Select(AskAsync));
        for (var i = 0; i < Clients; i++)
        {
            Compare(round, i, results[i]);
        }

        return [.. results.Select(result => clock.GetElapsedTime(result.Times.Sent, result.Times.First).TotalMilliseconds)];

        Task<AskResult> AskAsync(int number)
        {
            var suffix = ChatQuestions.Text(_tokenizer, SuffixTokens, new Draws(seed + 1000 + (ulong)(number + 1)));
            var body = new JsonObject
            {
                ["model"] = name,
                ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = $"{prefix} {suffix}" }),
                ["temperature"] = 0,
                ["ignore_eos"] = true,
                ["max_tokens"] = AnswerTokens,
                ["stream"] = true,
                ["stream_options"] = new JsonObject { ["include_usage"] = true },
            };
            return client.AskAsync(new ChatQuestion(0, body, AnswerTokens, "greedy"), salt, null, cancellationToken);
        }
    }

    private void Compare(int round, int client, AskResult result)
    {
        if (result.Outcome != AskOutcome.Complete || (_answers.TryGetValue((round, client), out var expected) && expected != result.Answer.Text))
        {
            _bad++;
        }

        _answers[(round, client)] = result.Answer.Text;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Report(TextWriter output)
    {
        var best = _firstTokens.GetValueOrDefault((true, Rules[0]));
        ReportText.WriteTable(
            output,
            ["KV cache", "paths", "requests", "TTFT (ms) p50 / p90", "p50 to that of cheapest with the KV cache"],
            from withCache in new[] { false, true }
            from rule in Rules
            let times = _firstTokens.GetValueOrDefault((withCache, rule)) ?? []
            where times.Count > 0
            select (string[])
            [
                withCache ? "yes" : "no",
                rule,
                Text(times.Count),
                $"{Percentiles.Of(times, 0.5):0} / {Percentiles.Of(times, 0.9):0}",
                best is null ? "-" : (Percentiles.Of(times, 0.5) / Percentiles.Of(best, 0.5)).ToString("0.0", CultureInfo.InvariantCulture),
            ]);
        output.WriteLine(_bad == 0 ? "Answers to the same questions were byte for byte the same, whatever their way." : $"{_bad} answers were NOT as they should be.");
    }
}
