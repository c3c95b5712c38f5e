using System.Text.Json;

namespace Parallax.Router.Api.Requests;

/// <summary>Reads JSON values strictly: a wrong type or range is an error that names the parameter.</summary>
internal static class JsonValues
{
    public static int Integer(JsonElement value, string param, int least, int most)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number))
        {
            throw WrongType(value, param, "an integer");
        }

        return number >= least && number <= most
            ? (int)number
            : throw ApiException.Invalid(param, $"'{param}' is {number}; it must be between {least} and {most}.", "invalid_value");
    }

    public static float Number(JsonElement value, string param, double least, double most)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number))
        {
            throw WrongType(value, param, "a number");
        }

        return number >= least && number <= most
            ? (float)number
            : throw ApiException.Invalid(param, FormattableString.Invariant($"'{param}' is {number}; it must be between {least} and {most}."), "invalid_value");
    }

    public static bool Boolean(JsonElement value, string param) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw WrongType(value, param, "a boolean"),
    };

    public static string String(JsonElement value, string param)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw WrongType(value, param, "a string");
        }

        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // The reader accepts escapes such as \ud800 alone; no text can hold them.
            throw ApiException.Invalid(param, $"'{param}' holds an escape sequence that is no Unicode text.", "invalid_value");
        }
    }

    public static JsonElement.ArrayEnumerator Array(JsonElement value, string param) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw WrongType(value, param, "an array");

    public static JsonElement.ObjectEnumerator Object(JsonElement value, string param) =>
        value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw WrongType(value, param, "an object");

    public static ApiException WrongType(JsonElement value, string param, string expected) =>
        ApiException.Invalid(param, $"'{param}' must be {expected}, not {Describe(value.ValueKind)}.", "invalid_type");

    private static string Describe(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "this number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };
}
