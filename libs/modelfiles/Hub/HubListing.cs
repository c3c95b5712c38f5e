using System.Collections.Immutable;
using System.Text.Json;
using Parallax.ModelFiles.Manifests;

namespace Parallax.ModelFiles.Hub;

/// <summary>Reads the hub's description of a model, and chooses the files that Parallax needs. Pure.</summary>
/// <param name="Revision">The commit.</param>
/// <param name="Files">The chosen files.</param>
internal sealed record HubListing(string Revision, ImmutableArray<HubFile> Files)
{
    private const long MaxFileBytes = 1L << 42;

    /// <param name="name">The model.</param>
    /// <param name="json">The answer to /api/models/OWNER/NAME/revision/main?blobs=true.</param>
    /// <exception cref="ModelFilesException">It is no such answer, or the model has no files of a kind that is supported.</exception>
    public static HubListing Read(HubName name, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var revision = document.RootElement.GetProperty("sha").GetString() ?? "";
            if (revision.Length is < 7 or > 64 || !revision.All(char.IsAsciiHexDigitLower))
            {
                throw Refuse(name, "names no commit");
            }

            var files = document.RootElement.GetProperty("siblings").EnumerateArray().Select(ReadFile).OfType<HubFile>().ToArray();
            var chosen = Choose(name, files);
            return chosen.IsEmpty ? throw Refuse(name, Missing(name, files)) : new HubListing(revision, chosen);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ModelFilesException(ModelFilesProblem.Hub, $"The hub's list of files of '{name}' cannot be read: {e.Message}", e);
        }
    }

    private static ImmutableArray<HubFile> Choose(HubName name, HubFile[] files)
    {
        if (name.File is not null)
        {
            return [.. files.Where(file => file.Name == name.File)];
        }

        var single = files.Any(static file => file.Name == "model.safetensors");
        var weights = files.Where(file => single
            ? file.Name == "model.safetensors"
            : file.Name.StartsWith("model-", StringComparison.Ordinal) && file.Name.EndsWith(".safetensors", StringComparison.Ordinal)).ToArray();
        var described = files.Where(file => FileNames.Descriptions.Contains(file.Name) && !(single && file.Name.EndsWith(".index.json", StringComparison.Ordinal))).ToArray();
        var complete = weights.Length > 0 && described.Any(static file => file.Name == "config.json")
            && (single || described.Any(static file => file.Name == "model.safetensors.index.json"));
        return complete && weights.Concat(described).All(static file => FileNames.IsAllowed(file.Name, ModelLayout.Folder)) ? [.. described, .. weights] : [];
    }

    private static string Missing(HubName name, HubFile[] files)
    {
        var gguf = files.Where(static file => file.Name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)).Select(static file => file.Name).Order(StringComparer.Ordinal).ToArray();
        return gguf.Length > 0
            ? $"has {(name.File is null ? "no safetensors" : $"no {name.File}")} but GGUF files; name one of them: {string.Join(", ", gguf.Take(20).Select(file => $"{name.Repository}/{file}"))}"
            : "has no config.json with model.safetensors, or with model.safetensors.index.json and its files";
    }

    private static HubFile? ReadFile(JsonElement file)
    {
        var name = file.GetProperty("rfilename").GetString() ?? "";
        if (name.Length is 0 or > 200 || name.Any(static c => c is '/' or '\\' || char.IsControl(c)))
        {
            return null; // in a folder below: never part of a model
        }

        var lfs = file.TryGetProperty("lfs", out var value) && value.ValueKind == JsonValueKind.Object ? value : default;
        var length = file.TryGetProperty("size", out var size) ? size.GetInt64() : lfs.ValueKind == JsonValueKind.Object ? lfs.GetProperty("size").GetInt64() : -1;
        var sha = lfs.ValueKind == JsonValueKind.Object && lfs.TryGetProperty("sha256", out var hash) ? hash.GetString() : null;
        return length is >= 0 and <= MaxFileBytes && sha is null or { Length: 64 }
            ? new HubFile(name, length, sha)
            : throw new FormatException($"'{name}' has {length} bytes and the hash '{sha}'");
    }

    private static ModelFilesException Refuse(HubName name, string problem) => new(ModelFilesProblem.Hub, $"'{name}' on the hub {problem}.");
}
