using System.Diagnostics.CodeAnalysis;

namespace Parallax.ModelFiles.Hub;

/// <summary>A model's name on a hub: owner/name for its safetensors, owner/name/file.gguf for one GGUF file of it.</summary>
/// <param name="Owner">Who published it.</param>
/// <param name="Model">What it is called.</param>
/// <param name="File">The GGUF file; null for safetensors.</param>
public sealed record HubName(string Owner, string Model, string? File)
{
    private const int MaxPart = 96;

    /// <summary>The repository.</summary>
    public string Repository => $"{Owner}/{Model}";

    /// <summary>Reads a name; false when it is none (a path, for example).</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out HubName? name)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('/');
        name = parts.Length is 2 or 3 && parts.All(IsPart)
            && !parts[0].Contains("--", StringComparison.Ordinal) && !parts[1].Contains("--", StringComparison.Ordinal)
            && (parts.Length == 3) == parts[^1].EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)
            ? new HubName(parts[0], parts[1], parts.Length == 3 ? parts[2] : null)
            : null;
        return name is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => File is null ? Repository : $"{Repository}/{File}";

    private static bool IsPart(string part) =>
        part.Length is > 0 and <= MaxPart && part[0] is not ('.' or '-') && part.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
