using System.Globalization;
using System.Text.Json;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>What tokenizer_config.json and special_tokens_map.json say beside a tokenizer.json.</summary>
internal sealed class TokenizerConfig
{
    private const int MaxBytes = 16 << 20;

    private readonly JsonField? _config;
    private readonly JsonField? _map;

    private TokenizerConfig(JsonField? config, JsonField? map)
    {
        _config = config;
        _map = map;
    }

    /// <summary>Whether a begin token is added; null when the file does not say.</summary>
    public bool? AddBos => _config?.Optional("add_bos_token")?.AsBool();

    /// <summary>Whether an end token is added; null when the file does not say.</summary>
    public bool? AddEos => _config?.Optional("add_eos_token")?.AsBool();

    public static TokenizerConfig Read(string folder) => new(
        JsonField.OfFile(Path.Combine(folder, "tokenizer_config.json"), MaxBytes),
        JsonField.OfFile(Path.Combine(folder, "special_tokens_map.json"), MaxBytes));

    /// <summary>The field that names a special token, like <c>bos_token</c>, with the token's text; or null.</summary>
    public (JsonField Field, string Content)? Token(string name)
    {
        var field = _config?.Optional(name) ?? _map?.Optional(name);
        return field is { } given
            ? (given, given.Element.ValueKind == JsonValueKind.Object ? given.Required("content").AsString() : given.AsString())
            : null;
    }

    /// <summary>The added tokens that tokenizer_config.json lists, with their ids.</summary>
    public IEnumerable<(JsonField Field, int Id)> AddedTokens()
    {
        if (_config?.Optional("added_tokens_decoder") is not { } list)
        {
            yield break;
        }

        foreach (var (name, field) in list.Members())
        {
            yield return int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                ? (field, id)
                : throw field.Error("an id that is not a whole number");
        }
    }
}
