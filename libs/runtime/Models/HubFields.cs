using System.Text.Json;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Models;

/// <summary>The fields of a <c>config.json</c> (or of an object within it, named <c>outer.inner</c> in messages).</summary>
internal sealed class HubFields : ConfigFields
{
    private const int MaxFileBytes = 4 << 20;

    /// <summary>Lists are per layer or per expert; more is not a configuration.</summary>
    private const int MaxListLength = 1 << 16;

    private readonly string _prefix;
    private readonly Dictionary<string, JsonElement> _fields;

    private HubFields(string file, string prefix, JsonElement fields, ReadOnlyMemory<byte> bytes)
        : base(file)
    {
        Bytes = bytes;
        _prefix = prefix;
        _fields = JsonFile.Decode(file, () => fields.EnumerateObject().ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal));
    }

    /// <summary>The whole file.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    protected override IEnumerable<string> Names => _fields.Where(f => f.Value.ValueKind != JsonValueKind.Null).Select(f => f.Key);

    /// <summary>Reads a file whose root is an object.</summary>
    public static HubFields Open(string path)
    {
        var bytes = JsonFile.ReadBytes(path, MaxFileBytes);
        using var document = JsonFile.Parse(path, bytes);
        return new HubFields(path, "", document.RootElement.Clone(), bytes);
    }

    /// <inheritdoc/>
    public override bool Has(string name) => _fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Whether the field is there with the value null, where that differs from its absence.</summary>
    public bool IsNull(string name) => _fields.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Null;

    /// <summary>An object, or null when absent.</summary>
    public HubFields? OptionalObject(string name)
    {
        if (!Has(name))
        {
            return null;
        }

        var value = _fields[Mark(name)];
        return value.ValueKind == JsonValueKind.Object ? new HubFields(File, $"{_prefix}{name}.", value, Bytes) : throw Wrong(name, "an object");
    }

    /// <summary>A list of whole numbers; a single one counts as a list. Null when absent.</summary>
    public int[]? OptionalIntegers(string name) => OptionalList(name, JsonValueKind.Number, "whole numbers", value => value.TryGetInt32(out var number) ? number : throw Wrong(name, "whole numbers of 32 bits"));

    /// <summary>A list of texts. Null when absent.</summary>
    public string[]? OptionalTexts(string name) => OptionalList(name, JsonValueKind.String, "texts", Text);

    /// <inheritdoc/>
    public override ModelFormatException Refuse(string name, string problem) => base.Refuse(_prefix + name, problem);

    protected override long ReadInteger(string name) =>
        _fields[name] is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) ? number : throw Wrong(name, "a whole number");

    protected override double ReadNumber(string name) =>
        _fields[name] is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var number) ? number : throw Wrong(name, "a number");

    protected override bool ReadBoolean(string name) => _fields[name].ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, "true or false"),
    };

    protected override string ReadText(string name) =>
        _fields[name] is { ValueKind: JsonValueKind.String } value ? Text(value) : throw Wrong(name, "a text");

    private T[]? OptionalList<T>(string name, JsonValueKind kind, string expected, Func<JsonElement, T> read)
    {
        if (!Has(name))
        {
            return null;
        }

        var value = _fields[Mark(name)];
        if (value.ValueKind == kind)
        {
            return [read(value)];
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MaxListLength)
        {
            throw Wrong(name, $"a list of at most {MaxListLength} {expected}");
        }

        return [.. value.EnumerateArray().Select(item => item.ValueKind == kind ? read(item) : throw Wrong(name, $"a list of {expected}"))];
    }

    private string Text(JsonElement value) => JsonFile.Decode(File, () => value.GetString()!);

    private ModelFormatException Wrong(string name, string expected)
    {
        var found = _fields[name].GetRawText();
        return Refuse(name, $"is {(found.Length <= 60 ? found : found[..60] + "...")}, expected {expected}");
    }
}
