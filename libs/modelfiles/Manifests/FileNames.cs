using System.Buffers;

namespace Parallax.ModelFiles.Manifests;

/// <summary>Which file names a model may have. They come over the wire and become paths, so the list is short.</summary>
internal static class FileNames
{
    /// <summary>What a GGUF file is called in a manifest.</summary>
    public const string Gguf = "model.gguf";

    private const int MaxLength = 200;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>Files beside the weights that a model is opened with; those that a folder lacks are left out.</summary>
    public static readonly string[] Descriptions =
    [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "chat_template.jinja", "chat_template.json", "model.safetensors.index.json",
    ];

    /// <summary>Whether a file of that name may be part of a model.</summary>
    public static bool IsAllowed(string name, ModelLayout layout) => layout == ModelLayout.Gguf
        ? name == Gguf
        : name.Length is > 0 and <= MaxLength
            && !name.StartsWith('.')
            && !name.AsSpan().ContainsAnyExcept(Allowed)
            && Path.GetExtension(name) is ".json" or ".safetensors" or ".jinja"
            && Path.GetFileNameWithoutExtension(name).Length > 4; // no CON, NUL, COM1 of Windows
}
