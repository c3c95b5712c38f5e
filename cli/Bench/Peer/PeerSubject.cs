using System.Collections.Immutable;
using System.Text.Json;

namespace Parallax.Cli.Bench.Peer;

/// <summary>llama.cpp, in a process of its own.</summary>
internal sealed class PeerSubject : IBenchSubject
{
    private readonly PeerProcess _process;

    private PeerSubject(PeerProcess process, PeerInstallation installation, JsonElement loaded)
    {
        _process = process;
        Variant = loaded.GetProperty("variant").GetString() ?? "";
        LoadSeconds = loaded.GetProperty("load_s").GetDouble();
        Description = $"node-llama-cpp {PeerInstallation.Version}, CPU variant {(Variant.Length > 0 ? Variant : "unknown")}"
            + (installation.WithoutVariant.Length > 0 ? $" (after {installation.WithoutVariant} died of an illegal instruction here)" : "");
    }

    public string Name => "llama.cpp";

    public string Description { get; }

    public double LoadSeconds { get; }

    /// <summary>Which of its CPU libraries computes; empty when that is not known.</summary>
    public string Variant { get; }

    public static async Task<PeerSubject> LoadAsync(PeerInstallation installation, string model, int threads, CancellationToken cancellationToken)
    {
        var process = PeerProcess.Start("node", installation.Script);
        try
        {
            var loaded = await process.AskAsync(
                json =>
                {
                    json.WriteString("op", "load");
                    json.WriteString("model", Path.GetFullPath(model));
                    json.WriteNumber("threads", threads);
                },
                cancellationToken);
            return new PeerSubject(process, installation, loaded);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public async Task<SingleRun> RunSingleAsync(ImmutableArray<int> prompt, int decodeTokens, CancellationToken cancellationToken)
    {
        var answer = await _process.AskAsync(
            json =>
            {
                json.WriteString("op", "single");
                json.WriteNumber("decode", decodeTokens);
                WriteIds(json, "prompt", prompt);
            },
            cancellationToken);
        return new SingleRun(answer.GetProperty("prefill_per_s").GetDouble(), answer.GetProperty("decode_per_s").GetDouble());
    }

    public async Task<double> RunBatchAsync(IReadOnlyList<ImmutableArray<int>> prompts, int decodeTokens, CancellationToken cancellationToken)
    {
        var answer = await _process.AskAsync(
            json =>
            {
                json.WriteString("op", "batch");
                json.WriteNumber("decode", decodeTokens);
                json.WriteStartArray("prompts");
                foreach (var prompt in prompts)
                {
                    WriteIds(json, null, prompt);
                }

                json.WriteEndArray();
            },
            cancellationToken);
        return answer.GetProperty("per_s").GetDouble();
    }

    public async Task<MemoryUse> ReadMemoryAsync(CancellationToken cancellationToken)
    {
        var answer = await _process.AskAsync(static json => json.WriteString("op", "memory"), cancellationToken);
        return new MemoryUse(answer.GetProperty("rss").GetInt64(), answer.GetProperty("peak").GetInt64());
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static void WriteIds(Utf8JsonWriter json, string? name, ImmutableArray<int> ids)
    {
        if (name is null)
        {
            json.WriteStartArray();
        }
        else
        {
            json.WriteStartArray(name);
        }

        foreach (var id in ids)
        {
            json.WriteNumberValue(id);
        }

        json.WriteEndArray();
    }
}
