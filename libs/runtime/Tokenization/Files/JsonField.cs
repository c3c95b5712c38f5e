using System.Text.Json;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>A value in a JSON file together with its place, so that every complaint names file and field.</summary>
internal readonly record struct JsonField(string File, string Path, JsonElement Element)
{
    /// <summary>The object that a small file holds; null when there is no such file.</summary>
    /// <exception cref="ModelFormatException">Not a JSON object, cut short, or too large.</exception>
    public static JsonField? OfFile(string path, int maxBytes)
    {
        if (!System.IO.File.Exists(path))
        {
            return null;
        }

        using var document = JsonFile.Read(path, maxBytes);
        return new JsonField(path, string.Empty, document.RootElement.Clone());
    }

    /// <summary>A member that must be there.</summary>
    public JsonField Required(string name) => Optional(name) ?? throw new ModelFormatException(File, "missing", PathOf(name));

    /// <summary>A member, or null when it is absent or null.</summary>
    public JsonField? Optional(string name)
    {
        if (Element.ValueKind != JsonValueKind.Object)
        {
            throw Error("expected an object");
        }

        return Element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? new JsonField(File, PathOf(name), value)
            : null;
    }

    /// <summary>An array's items.</summary>
    public IEnumerable<JsonField> Items()
    {
        if (Element.ValueKind != JsonValueKind.Array)
        {
            throw Error("expected an array");
        }

        var index = 0;
        foreach (var item in Element.EnumerateArray())
        {
            yield return new JsonField(File, $"{Path}[{index++}]", item);
        }
    }

    /// <summary>An object's members.</summary>
    public IEnumerable<(string Name, JsonField Value)> Members()
    {
        if (Element.ValueKind != JsonValueKind.Object)
        {
            throw Error("expected an object");
        }

        foreach (var member in Element.EnumerateObject())
        {
            yield return (member.Name, new JsonField(File, PathOf(member.Name), member.Value));
        }
    }

    public string AsString()
    {
        try
        {
            return Element.ValueKind == JsonValueKind.String ? Element.GetString()! : throw Error("expected a string");
        }
        catch (InvalidOperationException e)
        {
            throw Error("a string that is not valid Unicode", e);
        }
    }

    public bool AsBool() => Element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Error("expected true or false"),
    };

    public int AsInt() => Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out var value)
        ? value
        : throw Error("expected a whole number of 32 bits");

    /// <summary>A member that is true or false, with its value when absent.</summary>
    public bool Flag(string name, bool absent = false) => Optional(name)?.AsBool() ?? absent;

    public ModelFormatException Error(string problem, Exception? cause = null) => new(File, problem, Path, cause);

    private string PathOf(string name) => Path.Length == 0 ? name : $"{Path}.{name}";
}
