using System.Diagnostics.CodeAnalysis;

namespace Parallax.Runtime.Weights;

/// <summary>The metadata of a GGUF file by key. Valid until the file is disposed; thread-safe.</summary>
public sealed class GgufMetadata
{
    private readonly Dictionary<string, GgufValue> _values;

    internal GgufMetadata(string file, Dictionary<string, GgufValue> values)
    {
        File = file;
        _values = values;
    }

    /// <summary>The file, for messages.</summary>
    public string File { get; }

    /// <summary>All values.</summary>
    public IReadOnlyCollection<GgufValue> Values => _values.Values;

    /// <summary>The value of a key that must be there.</summary>
    /// <exception cref="ModelFormatException">The key is missing.</exception>
    public GgufValue this[string key] =>
        _values.TryGetValue(key, out var value) ? value : throw new ModelFormatException(File, "the metadata field is missing", key);

    /// <summary>The value of a key, if it is there.</summary>
    public bool TryGet(string key, [NotNullWhen(true)] out GgufValue? value) => _values.TryGetValue(key, out value);

    /// <summary>The value of a key, or null.</summary>
    public GgufValue? Find(string key) => _values.GetValueOrDefault(key);
}
