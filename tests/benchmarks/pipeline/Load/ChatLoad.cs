using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Parallax.PipelineBenchmark.Clusters;

namespace Parallax.PipelineBenchmark.Load;

/// <summary>
/// Clients that stream one chat answer each, all at once, from a cluster's router: greedy, of a fixed length, each load
/// with a prefix cache of its own, so that nothing is found there.
/// </summary>
internal sealed class ChatLoad
{
    private static int _loads;

    private readonly Cluster _cluster;
    private readonly TaskCompletionSource _allDecode = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _oneEnds = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _prefilling;

    public ChatLoad(Cluster cluster) => _cluster = cluster;

    /// <summary>Completes when every client has its first token.</summary>
    public Task AllDecode => _allDecode.Task;

    /// <summary>Completes when the first client has its last token.</summary>
    public Task OneEnds => _oneEnds.Task;

    /// <summary>Asks every question and reads every answer to its end.</summary>
    /// <exception cref="ChildException">The cluster failed, or an answer is not of the length asked for.</exception>
    public static Task<LoadResult> RunAsync(Cluster cluster, IReadOnlyList<string> questions, int tokens, CancellationToken cancellationToken) =>
        new ChatLoad(cluster).RunAsync(questions, tokens, cancellationToken);

    /// <inheritdoc cref="RunAsync(Cluster, IReadOnlyList{string}, int, CancellationToken)"/>
    public async Task<LoadResult> RunAsync(IReadOnlyList<string> questions, int tokens, CancellationToken cancellationToken)
    {
        _prefilling = questions.Count;
        using var http = new HttpClient { BaseAddress = _cluster.Address, Timeout = Timeout.InfiniteTimeSpan };
        var model = await ModelAsync(http, cancellationToken);
        var salt = $"load {Interlocked.Increment(ref _loads)}";
        try
        {
            return new LoadResult(await Task.WhenAll(questions.Select(question =>
                AskAsync(http, Body(model, question, tokens, salt), tokens, cancellationToken))));
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            _cluster.ThrowIfEnded();
            throw new ChildException($"{_cluster.Plan.Name}: {error.Message}");
        }
    }

    private static async Task<string> ModelAsync(HttpClient http, CancellationToken cancellationToken)
    {
        var models = await http.GetFromJsonAsync<JsonElement>("/v1/models", cancellationToken);
        return models.GetProperty("data")[0].GetProperty("id").GetString()!;
    }

    private static JsonObject Body(string model, string question, int tokens, string salt) => new()
    {
        ["model"] = model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
        ["temperature"] = 0,
        ["ignore_eos"] = true,
        ["max_tokens"] = tokens,
        ["cache_salt"] = salt,
        ["stream"] = true,
        ["stream_options"] = new JsonObject { ["include_usage"] = true },
    };

    private async Task<ClientRun> AskAsync(HttpClient http, JsonObject body, int tokens, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) };
        var run = new ClientRun { SentAt = Stopwatch.GetTimestamp() };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new ChildException($"{_cluster.Plan.Name}: {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}");
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        var index = -1;
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal) && !line.EndsWith(":u", StringComparison.Ordinal))
            {
                // Request and index of the last token whose text has been sent; a mark behind it says that the choice is finished; the usage comes last.
                index = int.Parse(line.AsSpan(line.LastIndexOf(':') + 1).TrimEnd('f'), CultureInfo.InvariantCulture);
            }
            else if (line.StartsWith("data: {", StringComparison.Ordinal))
            {
                var waited = run.FirstAt == 0;
                Take(run, line.AsMemory(6), index, Stopwatch.GetTimestamp());
                if (waited && run.FirstAt != 0 && Interlocked.Decrement(ref _prefilling) == 0)
                {
                    _allDecode.TrySetResult();
                }
            }
        }

        _oneEnds.TrySetResult();
        return run.AnswerTokens == tokens && run.Indices.Last == tokens - 1
            ? run
            : throw new ChildException($"{_cluster.Plan.Name}: an answer has {run.AnswerTokens} tokens (the last index is {run.Indices.Last}) instead of {tokens}.");
    }

    private void Take(ClientRun run, ReadOnlyMemory<char> data, int index, long at)
    {
        using var document = JsonDocument.Parse(data);
        var root = document.RootElement;
        if (root.TryGetProperty("error", out var error))
        {
            throw new ChildException($"{_cluster.Plan.Name}: {error}");
        }

        if (root.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
        {
            run.PromptTokens = usage.GetProperty("prompt_tokens").GetInt32();
            run.AnswerTokens = usage.GetProperty("completion_tokens").GetInt32();
        }

        foreach (var choice in root.GetProperty("choices").EnumerateArray())
        {
            var text = choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() ?? "" : "";
            run.Add(text, index, at);
        }
    }
}
