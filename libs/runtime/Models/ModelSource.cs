using Parallax.Runtime.Models.Architectures;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models;

/// <summary>
/// A model on disk, opened: a folder in the hub's layout (config.json, safetensors, tokenizer files) or a GGUF file.
/// Opening reads headers only; tensors are read when their pages are touched. Thread-safe.
/// </summary>
public sealed class ModelSource : IDisposable
{
    private const string IndexName = "model.safetensors.index.json";
    private const string SingleName = "model.safetensors";
    private const string ConfigName = "config.json";

    private readonly Lazy<string> _weightsHash;

    private ModelSource(string path, ModelSpec spec, IWeightSource weights, GenerationDefaults generation, string? chatTemplate, GgufMetadata? metadata, Func<string> hash)
    {
        Path = path;
        Spec = spec;
        Weights = weights;
        Generation = generation;
        ChatTemplate = chatTemplate;
        Metadata = metadata;
        DisplayName = NameOf(path);
        _weightsHash = new Lazy<string>(hash);
    }

    /// <summary>The folder or .gguf file, as the user named it.</summary>
    public string Path { get; }

    /// <summary>A short name for lists and API answers: the folder's, the file's without its ending, or owner/name of a hub cache.</summary>
    public string DisplayName { get; }

    /// <summary>What to compute.</summary>
    public ModelSpec Spec { get; }

    /// <summary>The tensors; disposed with this.</summary>
    public IWeightSource Weights { get; }

    /// <summary>What the files advise for generation.</summary>
    public GenerationDefaults Generation { get; }

    /// <summary>The chat template's source (Jinja), or null when the model carries none. Untrusted input.</summary>
    public string? ChatTemplate { get; }

    /// <summary>The metadata of a GGUF file (its tokenizer is there); null for a folder.</summary>
    public GgufMetadata? Metadata { get; }

    /// <summary>
    /// The model's identity, 64 hexadecimal digits: equal on every machine for equal files, whatever their paths
    /// (<see cref="WeightsHasher"/> says of what). Computed at the first call: about a second per 2 GB on two cores.
    /// </summary>
    /// <exception cref="ModelFormatException">A file became unreadable.</exception>
    public string WeightsHash => _weightsHash.Value;

    /// <summary>Opens a model.</summary>
    /// <param name="path">A folder or a .gguf file.</param>
    /// <exception cref="ModelFormatException">
    /// Missing, cut short, contradictory, or of an unsupported kind; the message names file and field or tensor.
    /// </exception>
    public static ModelSource Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            return OpenFolder(path);
        }

        if (!File.Exists(path))
        {
            throw new ModelFormatException(path, "no such folder or file; a model is a folder with config.json and safetensors, or a .gguf file");
        }

        return path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
            ? throw new ModelFormatException(path, "a safetensors file alone lacks the configuration; name the folder that holds it")
            : OpenGguf(path);
    }

    /// <summary>Unmaps the files; every tensor opened from them becomes invalid.</summary>
    public void Dispose() => Weights.Dispose();

    private static ModelSource OpenGguf(string path)
    {
        var file = GgufFile.Open(path);
        try
        {
            var spec = ArchitectureRegistry.Describe(file.Metadata, file.Table);
            return new ModelSource(
                path,
                spec,
                file,
                GenerationFiles.FromGguf(file.Metadata, spec.VocabularySize),
                ChatTemplateFiles.FromGguf(file.Metadata),
                file.Metadata,
                () => WeightsHasher.Hash(file.MetadataBytes(), file.Tensors));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static ModelSource OpenFolder(string folder)
    {
        var configPath = System.IO.Path.Combine(folder, ConfigName);
        if (!File.Exists(configPath))
        {
            throw new ModelFormatException(folder, $"has no {ConfigName}{GgufHint(folder)}");
        }

        var config = HubFields.Open(configPath);
        var (weights, table) = OpenWeights(folder);
        try
        {
            var spec = ArchitectureRegistry.Describe(config, table);
            return new ModelSource(
                folder,
                spec,
                weights,
                GenerationFiles.FromHub(folder, config, spec.VocabularySize),
                ChatTemplateFiles.FromHub(folder),
                metadata: null,
                () => WeightsHasher.Hash(config.Bytes.Span, table.Tensors));
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static (IWeightSource Weights, TensorTable Table) OpenWeights(string folder)
    {
        var single = System.IO.Path.Combine(folder, SingleName);
        if (File.Exists(single))
        {
            var file = SafetensorsFile.Open(single);
            return (file, file.Table);
        }

        var index = System.IO.Path.Combine(folder, IndexName);
        if (File.Exists(index))
        {
            var files = SafetensorsFolder.Open(index);
            return (files, files.Table);
        }

        throw new ModelFormatException(folder, $"has neither {SingleName} nor {IndexName}{GgufHint(folder)}");
    }

    private static string GgufHint(string folder) =>
        Directory.EnumerateFiles(folder, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() is { } file
            ? $"; to run a GGUF file, name it: {file}"
            : "";

    private static string NameOf(string path)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        var name = System.IO.Path.GetFileName(full);
        if (name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
        {
            return name[..^5];
        }

        // The hub's cache: models--owner--name/snapshots/revision.
        var snapshots = System.IO.Path.GetDirectoryName(full);
        var repository = System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(snapshots)) ?? "";
        return System.IO.Path.GetFileName(snapshots) == "snapshots" && repository.StartsWith("models--", StringComparison.Ordinal)
            ? repository["models--".Length..].Replace("--", "/", StringComparison.Ordinal)
            : name;
    }
}
