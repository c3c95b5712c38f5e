using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Parallax.Router.Api.Requests;

/// <summary>
/// Reads the body of <c>POST /v1/chat/completions</c>. Every field is either understood, or known to leave the result
/// alone, or refused by name: nothing that a client asks for is dropped in silence.
/// </summary>
internal static class ChatRequestParser
{
    public const int MaxChoices = 128;
    public const int MaxStops = 16;
    public const int MaxStopLength = 1024;
    public const int MaxStopTokenIds = 256;
    public const int MaxTopLogProbs = 20;
    public const int MaxNameLength = 128;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    /// <exception cref="ApiException">The body is not such a request; names the parameter.</exception>
    public static ChatRequest Parse(ReadOnlyMemory<byte> body)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, Strict);
        }
        catch (JsonException e)
        {
            throw ApiException.Invalid(null, $"The body is not valid JSON: {e.Message}", "invalid_json");
        }

        using (document)
        {
            return Read(document.RootElement);
        }
    }

    private static ChatRequest Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.Invalid(null, "The body must be a JSON object.", "invalid_type");
        }

        var request = new ChatRequest { Model = "", Messages = [] };
        var limits = new List<(string Name, int Value)>(2);
        bool? withLogProbs = null;
        int? topLogProbs = null;
        foreach (var field in root.EnumerateObject())
        {
            var (name, value) = (field.Name, field.Value);
            if (value.ValueKind == JsonValueKind.Null)
            {
                RequireKnown(name);
                continue;
            }

            switch (name)
            {
                case "model":
                    request = request with { Model = JsonValues.String(value, name) };
                    break;
                case "messages":
                    request = request with { Messages = MessageParser.Read(value) };
                    break;
                case "temperature":
                    request = request with { Temperature = JsonValues.Number(value, name, 0, 2) };
                    break;
                case "top_p":
                    // The API allows 0, which keeps the most probable token alone; the sampler wants a mass above 0.
                    request = request with { TopP = Math.Max(1e-9f, JsonValues.Number(value, name, 0, 1)) };
                    break;
                case "top_k":
                    // -1 is what other servers' clients send for "all".
                    request = request with { TopK = Math.Max(0, JsonValues.Integer(value, name, -1, int.MaxValue)) };
                    break;
                case "min_p":
                    request = request with { MinP = JsonValues.Number(value, name, 0, 1) };
                    break;
                case "repetition_penalty":
                    request = request with { RepetitionPenalty = JsonValues.Number(value, name, 0.01, 100) };
                    break;
                case "presence_penalty":
                    request = request with { PresencePenalty = JsonValues.Number(value, name, -2, 2) };
                    break;
                case "frequency_penalty":
                    request = request with { FrequencyPenalty = JsonValues.Number(value, name, -2, 2) };
                    break;
                case "logit_bias":
                    request = request with { LogitBias = ReadLogitBias(value) };
                    break;
                case "n":
                    request = request with { Choices = JsonValues.Integer(value, name, 1, MaxChoices) };
                    break;
                case "stop":
                    request = request with { Stop = ReadStop(value) };
                    break;
                case "stop_token_ids":
                    request = request with { StopTokenIds = ReadStopTokenIds(value) };
                    break;
                case "ignore_eos":
                    request = request with { IgnoreEos = JsonValues.Boolean(value, name) };
                    break;
                case "max_tokens" or "max_completion_tokens":
                    limits.Add((name, JsonValues.Integer(value, name, 1, int.MaxValue)));
                    break;
                case "min_tokens":
                    request = request with { MinTokens = JsonValues.Integer(value, name, 0, int.MaxValue) };
                    break;
                case "logprobs":
                    withLogProbs = JsonValues.Boolean(value, name);
                    break;
                case "top_logprobs":
                    topLogProbs = JsonValues.Integer(value, name, 0, MaxTopLogProbs);
                    break;
                case "seed":
                    request = request with { Seed = ReadSeed(value) };
                    break;
                case "stream":
                    request = request with { Stream = JsonValues.Boolean(value, name) };
                    break;
                case "stream_options":
                    request = request with { IncludeUsage = ReadStreamOptions(value) };
                    break;
                case "user":
                    request = request with { User = RequireShort(JsonValues.String(value, name), name) };
                    break;
                case "cache_salt":
                    request = request with { CacheSalt = RequireShort(JsonValues.String(value, name), name) };
                    break;
                default:
                    OtherFields.Check(name, value);
                    break;
            }
        }

        return Complete(request, root, limits, withLogProbs, topLogProbs);
    }

    private static ChatRequest Complete(
        ChatRequest request, JsonElement root, List<(string Name, int Value)> limits, bool? withLogProbs, int? topLogProbs)
    {
        if (request.Model.Length == 0)
        {
            throw ApiException.Invalid("model", "You must name a model.", "missing_required_parameter");
        }

        if (request.Messages.IsEmpty)
        {
            throw ApiException.Invalid("messages", "You must give at least one message.", "missing_required_parameter");
        }

        if (limits.Count == 2 && limits[0].Value != limits[1].Value)
        {
            throw ApiException.Invalid(
                "max_tokens", "'max_tokens' and 'max_completion_tokens' mean the same and differ; give one.", "invalid_value");
        }

        if (topLogProbs is not null && withLogProbs != true)
        {
            throw ApiException.Invalid("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.", "invalid_value");
        }

        if (!request.Stream && root.TryGetProperty("stream_options", out var options) && options.ValueKind != JsonValueKind.Null)
        {
            throw ApiException.Invalid("stream_options", "'stream_options' needs 'stream' to be true.", "invalid_value");
        }

        int? maxTokens = limits.Count > 0 ? limits[0].Value : null;
        if (request.MinTokens > maxTokens)
        {
            throw ApiException.Invalid(
                "min_tokens", $"'min_tokens' is {request.MinTokens}, more than '{limits[0].Name}', which is {maxTokens}.", "invalid_value");
        }

        return request with { MaxTokens = maxTokens, TopLogProbs = withLogProbs == true ? topLogProbs ?? 0 : null };
    }

    private static void RequireKnown(string name)
    {
        if (!OtherFields.IsKnown(name) && !Understood.Contains(name))
        {
            throw OtherFields.Unrecognised(name);
        }
    }

    private static ImmutableArray<KeyValuePair<int, float>> ReadLogitBias(JsonElement value)
    {
        var biases = ImmutableArray.CreateBuilder<KeyValuePair<int, float>>();
        foreach (var entry in JsonValues.Object(value, "logit_bias"))
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                throw ApiException.Invalid("logit_bias", $"'logit_bias' has the key '{entry.Name}', which is not a token id.", "invalid_value");
            }

            biases.Add(KeyValuePair.Create(id, JsonValues.Number(entry.Value, $"logit_bias.{entry.Name}", -100, 100)));
        }

        biases.Sort(static (a, b) => a.Key.CompareTo(b.Key));
        for (var i = 1; i < biases.Count; i++)
        {
            if (biases[i].Key == biases[i - 1].Key)
            {
                throw ApiException.Invalid("logit_bias", $"'logit_bias' names token {biases[i].Key} twice.", "invalid_value");
            }
        }

        return biases.DrainToImmutable();
    }

    private static ImmutableArray<string> ReadStop(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return [RequireStop(JsonValues.String(value, "stop"), "stop")];
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw JsonValues.WrongType(value, "stop", "a string or an array of strings");
        }

        if (value.GetArrayLength() > MaxStops)
        {
            throw ApiException.Invalid("stop", $"'stop' has {value.GetArrayLength()} entries; at most {MaxStops} are allowed.", "invalid_value");
        }

        return [.. value.EnumerateArray().Select(static (entry, i) => RequireStop(JsonValues.String(entry, $"stop[{i}]"), $"stop[{i}]")).Distinct()];
    }

    private static string RequireStop(string text, string param) => text.Length switch
    {
        0 => throw ApiException.Invalid(param, $"'{param}' is empty.", "invalid_value"),
        > MaxStopLength => throw ApiException.Invalid(param, $"'{param}' has {text.Length} characters; at most {MaxStopLength} are allowed.", "invalid_value"),
        _ => text,
    };

    private static string RequireShort(string text, string param) => text.Length <= MaxNameLength
        ? text
        : throw ApiException.Invalid(param, $"'{param}' has {text.Length} characters; at most {MaxNameLength} are allowed.", "invalid_value");

    private static ImmutableArray<int> ReadStopTokenIds(JsonElement value)
    {
        var entries = JsonValues.Array(value, "stop_token_ids");
        return value.GetArrayLength() > MaxStopTokenIds
            ? throw ApiException.Invalid("stop_token_ids", $"'stop_token_ids' has {value.GetArrayLength()} entries; at most {MaxStopTokenIds} are allowed.", "invalid_value")
            : [.. entries.Select(static (entry, i) => JsonValues.Integer(entry, $"stop_token_ids[{i}]", 0, int.MaxValue)).Distinct()];
    }

    private static ulong ReadSeed(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number)
        {
            if (value.TryGetInt64(out var signed))
            {
                return unchecked((ulong)signed);
            }

            if (value.TryGetUInt64(out var unsigned))
            {
                return unsigned;
            }
        }

        throw JsonValues.WrongType(value, "seed", "an integer of 64 bits");
    }

    private static bool ReadStreamOptions(JsonElement value)
    {
        var includeUsage = false;
        foreach (var option in JsonValues.Object(value, "stream_options"))
        {
            var param = $"stream_options.{option.Name}";
            switch (option.Name)
            {
                case "include_usage":
                    includeUsage = option.Value.ValueKind != JsonValueKind.Null && JsonValues.Boolean(option.Value, param);
                    break;
                case "include_obfuscation":
                    // Padding against traffic analysis: the text is the same with and without.
                    _ = option.Value.ValueKind == JsonValueKind.Null || JsonValues.Boolean(option.Value, param);
                    break;
                default:
                    throw OtherFields.Unrecognised(param);
            }
        }

        return includeUsage;
    }

    private static readonly HashSet<string> Understood =
    [
        "model", "messages", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty",
        "frequency_penalty", "logit_bias", "n", "stop", "stop_token_ids", "ignore_eos", "max_tokens",
        "max_completion_tokens", "min_tokens", "logprobs", "top_logprobs", "seed", "stream", "stream_options", "user",
        "cache_salt",
    ];
}
