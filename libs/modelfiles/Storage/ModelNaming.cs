using Parallax.ModelFiles.Manifests;

namespace Parallax.ModelFiles.Storage;

/// <summary>
/// Where a model of a name lies below a folder, so that whoever opens it there calls it by that name (a folder's or
/// file's own, or the hub cache's models--owner--name/snapshots/revision). Names come over the wire.
/// </summary>
internal static class ModelNaming
{
    private const int MaxLength = 120;
    private const string Revision = "files";

    /// <summary>The relative path of the model's folder or .gguf file.</summary>
    /// <exception cref="ModelFilesException">The name cannot be a model's.</exception>
    public static string RelativePath(string name, ModelLayout layout)
    {
        var parts = name.Split('/');
        if (name.Length > MaxLength || parts.Length > 2 || !parts.All(IsPlain))
        {
            throw Refuse(name, "a name has one part, or owner/name, without control characters and \\ : * ? \" < > |");
        }

        if (layout == ModelLayout.Gguf)
        {
            return parts.Length == 1 ? name + ".gguf" : throw Refuse(name, "a GGUF file's name has no owner");
        }

        if (parts.Length == 1)
        {
            return name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? throw Refuse(name, "a folder's name does not end in .gguf") : name;
        }

        return name.Contains("--", StringComparison.Ordinal)
            ? throw Refuse(name, "owner/name holds no --, which stands for / in folders")
            : Path.Combine($"models--{parts[0]}--{parts[1]}", "snapshots", Revision);
    }

    private static bool IsPlain(string part) =>
        part.Length > 0
        && part[0] is not ('.' or ' ')
        && part[^1] is not ('.' or ' ')
        && !part.Any(static c => char.IsControl(c) || "/\\:*?\"<>|".Contains(c, StringComparison.Ordinal));

    private static ModelFilesException Refuse(string name, string why) =>
        new(ModelFilesProblem.Name, $"'{string.Concat(name.Take(MaxLength).Select(static c => char.IsControl(c) ? '?' : c))}' cannot be a model's name here: {why}.");
}
