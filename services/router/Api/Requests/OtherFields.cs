using System.Collections.Frozen;
using System.Text.Json;

namespace Parallax.Router.Api.Requests;

/// <summary>
/// The request fields that this server does not act on: those that leave the result alone are accepted, those that
/// would change it are accepted only with the value that means "nothing", all others are refused by name.
/// </summary>
internal static class OtherFields
{
    // Bookkeeping, billing, caching and speed hints: they do not touch the text.
    private static readonly FrozenSet<string> Neutral = FrozenSet.Create(
        "metadata", "service_tier", "parallel_tool_calls", "safety_identifier", "prompt_cache_key",
        "prompt_cache_retention", "prediction");

    // They change the text, or what else is returned.
    private static readonly FrozenSet<string> Unsupported = FrozenSet.Create(
        "store", "tools", "tool_choice", "functions", "function_call", "response_format", "audio", "modalities",
        "reasoning_effort", "verbosity", "web_search_options", "moderation", "guided_json", "guided_regex", "guided_choice",
        "guided_grammar", "structured_outputs", "chat_template", "chat_template_kwargs", "add_generation_prompt",
        "continue_final_message", "echo", "best_of", "use_beam_search", "length_penalty", "typical_p", "tfs_z",
        "mirostat", "mirostat_tau", "mirostat_eta", "include_stop_str_in_output", "skip_special_tokens",
        "spaces_between_special_tokens", "bad_words", "allowed_token_ids", "prompt_logprobs", "truncate_prompt_tokens",
        "grammar", "json_schema", "documents");

    public static bool IsKnown(string name) => Neutral.Contains(name) || Unsupported.Contains(name);

    /// <summary>Accepts or refuses a field with a value other than null.</summary>
    public static void Check(string name, JsonElement value)
    {
        if (Neutral.Contains(name) || (Unsupported.Contains(name) && MeansNothing(name, value)))
        {
            return;
        }

        throw Unsupported.Contains(name) ? ApiException.Unsupported(name) : Unrecognised(name);
    }

    public static ApiException Unrecognised(string name) =>
        ApiException.Invalid(name, $"Unrecognized request argument supplied: {name}", "unknown_parameter");

    private static bool MeansNothing(string name, JsonElement value) => name switch
    {
        "store" => value.ValueKind == JsonValueKind.False,
        "tools" or "functions" or "bad_words" or "documents" => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0,
        "tool_choice" or "function_call" => value.ValueKind == JsonValueKind.String && value.ValueEquals("none"),
        "response_format" => value.ValueKind == JsonValueKind.Object
            && value.TryGetProperty("type", out var type)
            && type.ValueKind == JsonValueKind.String
            && type.ValueEquals("text"),
        "modalities" => value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(static m => m.ValueKind == JsonValueKind.String && m.ValueEquals("text")),
        "add_generation_prompt" or "skip_special_tokens" => value.ValueKind == JsonValueKind.True,
        "echo" or "use_beam_search" or "continue_final_message" or "include_stop_str_in_output" => value.ValueKind == JsonValueKind.False,
        _ => false,
    };
}
