using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Parallax.Router.Sessions;

namespace Parallax.Router.RequestLog;

/// <summary>The records of the request log. Texts are not kept: the prompt as a hash, the answer as token ids.</summary>
internal static class RequestRecords
{
    /// <summary>A request was admitted: all that is needed to generate it again, except the prompt.</summary>
    public static ValueTask AcceptedAsync(IRequestLog log, long unixMs, string request, SessionPlan plan, int choices, string fingerprint) =>
        log.AppendAsync((unixMs, request, plan, choices, fingerprint), static (json, r) =>
        {
            Begin(json, "accepted", r.unixMs, r.request);
            json.WriteString("model"u8, r.plan.Model);
            json.WriteString("fingerprint"u8, r.fingerprint);
            json.WriteNumber("choices"u8, r.choices);
            json.WriteNumber("prompt_tokens"u8, r.plan.Prompt.Length);
            json.WriteString("prompt_sha256"u8, Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(r.plan.Prompt.AsSpan()))));
            var sampling = r.plan.Sampling;
            json.WriteNumber("seed"u8, sampling.Seed);
            json.WriteNumber("temperature"u8, sampling.Temperature);
            json.WriteNumber("top_k"u8, sampling.TopK);
            json.WriteNumber("top_p"u8, sampling.TopP);
            json.WriteNumber("min_p"u8, sampling.MinP);
            json.WriteNumber("repetition_penalty"u8, sampling.RepetitionPenalty);
            json.WriteNumber("presence_penalty"u8, sampling.PresencePenalty);
            json.WriteNumber("frequency_penalty"u8, sampling.FrequencyPenalty);
            json.WriteNumber("min_tokens"u8, sampling.MinTokens);
            json.WriteNumber("max_tokens"u8, sampling.MaxTokens);
            WriteIds(json, "stop_token_ids"u8, sampling.StopTokenIds.AsSpan());
            json.WriteStartObject("logit_bias"u8);
            foreach (var (id, bias) in sampling.LogitBias)
            {
                json.WriteNumber(id.ToString(System.Globalization.CultureInfo.InvariantCulture), bias);
            }

            json.WriteEndObject();
        });

    /// <summary>A client that has the beginning of an answer came for the rest.</summary>
    public static ValueTask ResumedAsync(IRequestLog log, long unixMs, string request, string from) =>
        log.AppendAsync((unixMs, request, from), static (json, r) =>
        {
            Begin(json, "resumed", r.unixMs, r.request);
            json.WriteString("from"u8, r.from);
        });

    /// <summary>The router is about to show these tokens to the client.</summary>
    public static ValueTask TokensAsync(IRequestLog log, long unixMs, string request, int choice, int first, ReadOnlyMemory<int> ids) =>
        log.AppendAsync((unixMs, request, choice, first, ids), static (json, r) =>
        {
            Begin(json, "tokens", r.unixMs, r.request);
            json.WriteNumber("choice"u8, r.choice);
            json.WriteNumber("first"u8, r.first);
            WriteIds(json, "ids"u8, r.ids.Span);
        });

    /// <summary>A choice is complete.</summary>
    public static ValueTask CompletedAsync(IRequestLog log, long unixMs, string request, int choice, string reason, int tokens) =>
        log.AppendAsync((unixMs, request, choice, reason, tokens), static (json, r) =>
        {
            Begin(json, "completed", r.unixMs, r.request);
            json.WriteNumber("choice"u8, r.choice);
            json.WriteString("reason"u8, r.reason);
            json.WriteNumber("tokens"u8, r.tokens);
        });

    /// <summary>A request ended otherwise: the client went, or it failed.</summary>
    public static ValueTask EndedAsync(IRequestLog log, long unixMs, string request, string @event, string detail) =>
        log.AppendAsync((unixMs, request, @event, detail), static (json, r) =>
        {
            Begin(json, r.@event, r.unixMs, r.request);
            json.WriteString("detail"u8, r.detail);
        });

    private static void Begin(Utf8JsonWriter json, string @event, long unixMs, string request)
    {
        json.WriteString("event"u8, @event);
        json.WriteNumber("time"u8, unixMs);
        json.WriteString("request"u8, request);
    }

    private static void WriteIds(Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlySpan<int> ids)
    {
        json.WriteStartArray(name);
        foreach (var id in ids)
        {
            json.WriteNumberValue(id);
        }

        json.WriteEndArray();
    }
}
