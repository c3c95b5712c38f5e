using System.Text.Json;
using System.Text.Unicode;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models;

/// <summary>Finds the chat template that a model carries.</summary>
internal static class ChatTemplateFiles
{
    private const int MaxTemplateBytes = 4 << 20;
    private const int MaxConfigBytes = 16 << 20;

    /// <summary>
    /// From <c>chat_template.jinja</c>, else from tokenizer_config.json: a text, or a list of named templates of which
    /// "default" is taken. Null when there is none.
    /// </summary>
    public static string? FromHub(string folder)
    {
        var jinja = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(jinja))
        {
            var bytes = JsonFile.ReadBytes(jinja, MaxTemplateBytes);
            return Utf8.IsValid(bytes) ? System.Text.Encoding.UTF8.GetString(bytes) : throw new ModelFormatException(jinja, "is not valid UTF-8");
        }

        var config = Path.Combine(folder, "tokenizer_config.json");
        if (!File.Exists(config))
        {
            return null;
        }

        using var document = JsonFile.Read(config, MaxConfigBytes);
        return JsonFile.Decode(config, () => FromConfig(config, document.RootElement));
    }

    /// <summary>From a GGUF file's metadata; null when there is none.</summary>
    public static string? FromGguf(GgufMetadata metadata)
    {
        if (metadata.Find("tokenizer.chat_template") is not { } value)
        {
            return null;
        }

        return value.Count <= MaxTemplateBytes ? value.AsText() : throw new ModelFormatException(metadata.File, $"has {value.Count} bytes, at most {MaxTemplateBytes} are expected", value.Key);
    }

    private static string? FromConfig(string path, JsonElement root)
    {
        const string field = "chat_template";
        if (!root.TryGetProperty(field, out var template) || template.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (template.ValueKind == JsonValueKind.String)
        {
            return template.GetString();
        }

        if (template.ValueKind != JsonValueKind.Array)
        {
            throw new ModelFormatException(path, $"is {template.ValueKind}, expected a text or a list of named templates", field);
        }

        foreach (var entry in template.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object
                || !entry.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String
                || !entry.TryGetProperty("template", out var text) || text.ValueKind != JsonValueKind.String)
            {
                throw new ModelFormatException(path, "has an entry without the texts name and template", field);
            }

            if (name.ValueEquals("default"u8))
            {
                return text.GetString();
            }
        }

        return null;
    }
}
