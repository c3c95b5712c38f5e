using System.Text.Json;
using Parallax.Runtime.Weights;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>Reads JSON files of bounded size.</summary>
internal static class JsonFile
{
    /// <summary>A file's bytes without byte-order mark.</summary>
    /// <exception cref="ModelFormatException">Missing, unreadable, or larger than <paramref name="maxBytes"/>.</exception>
    public static ReadOnlyMemory<byte> ReadBytes(string path, long maxBytes)
    {
        try
        {
            var length = new FileInfo(path).Length;
            if (length > maxBytes)
            {
                throw new ModelFormatException(path, $"{length:N0} bytes; at most {maxBytes:N0} are read");
            }

            var bytes = File.ReadAllBytes(path);
            return bytes is [0xEF, 0xBB, 0xBF, ..] ? bytes.AsMemory(3) : bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(path, $"cannot be read: {e.Message}", cause: e);
        }
    }

    /// <summary>The object that a small file holds; null when there is no such file.</summary>
    public static JsonField? ReadObject(string path, long maxBytes)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var element = JsonElement.Parse(ReadBytes(path, maxBytes).Span);
            return element.ValueKind == JsonValueKind.Object
                ? new JsonField(path, string.Empty, element)
                : throw new ModelFormatException(path, "expected a JSON object");
        }
        catch (JsonException e)
        {
            throw NotJson(path, e);
        }
    }

    public static ModelFormatException NotJson(string path, Exception cause) =>
        new(path, $"not valid JSON, or cut short: {cause.Message}", cause: cause);
}
