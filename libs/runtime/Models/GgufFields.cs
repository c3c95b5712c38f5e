using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models;

/// <summary>The metadata of a GGUF file that describes the architecture: the keys that start with its name.</summary>
internal sealed class GgufFields : ConfigFields
{
    private readonly GgufMetadata _metadata;
    private readonly string _prefix;

    /// <param name="metadata">The file's metadata.</param>
    /// <param name="architecture">The value of <c>general.architecture</c>.</param>
    public GgufFields(GgufMetadata metadata, string architecture)
        : base(metadata.File)
    {
        _metadata = metadata;
        _prefix = architecture + ".";
    }

    protected override IEnumerable<string> Names => _metadata.Values
        .Where(v => v.Key.StartsWith(_prefix, StringComparison.Ordinal))
        .Select(v => v.Key[_prefix.Length..]);

    /// <inheritdoc/>
    public override bool Has(string name) => _metadata.TryGet(_prefix + name, out _);

    /// <inheritdoc/>
    public override ModelFormatException Refuse(string name, string problem) => base.Refuse(_prefix + name, problem);

    /// <summary>Some writers give one number per layer; only equal ones are supported.</summary>
    protected override long ReadInteger(string name)
    {
        var value = _metadata[_prefix + name];
        if (value.Type != GgufType.Array)
        {
            return value.AsInteger();
        }

        if (value.Count == 0)
        {
            throw Refuse(name, "is an empty list");
        }

        var first = value.IntegerAt(0);
        for (var i = 1; i < value.Count; i++)
        {
            if (value.IntegerAt(i) != first)
            {
                throw Refuse(name, $"differs between layers ({first}, later {value.IntegerAt(i)}), which is not supported");
            }
        }

        return first;
    }

    protected override double ReadNumber(string name) => _metadata[_prefix + name].AsNumber();

    protected override bool ReadBoolean(string name) => _metadata[_prefix + name].AsBoolean();

    protected override string ReadText(string name) => _metadata[_prefix + name].AsText();
}
