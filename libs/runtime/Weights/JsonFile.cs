using System.Text.Json;

namespace Parallax.Runtime.Weights;

/// <summary>Reads JSON files of a model folder: bounded in size and depth, strict, and with errors that name the file.</summary>
internal static class JsonFile
{
    private const int MaxDepth = 32;

    /// <summary>Reads a file whose root is an object.</summary>
    /// <exception cref="ModelFormatException">Missing, too large, or not a JSON object.</exception>
    public static JsonDocument Read(string path, int maxBytes) => Parse(path, ReadBytes(path, maxBytes));

    /// <summary>Parses a file's bytes, whose root must be an object; the document borrows them.</summary>
    public static JsonDocument Parse(string path, byte[] bytes)
    {
        ReadOnlyMemory<byte> json = bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes;
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new ModelFormatException(path, $"expected a JSON object, found {document.RootElement.ValueKind}");
            }

            var read = document;
            document = null;
            return read;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ModelFormatException(path, $"not valid JSON: {e.Message}", cause: e);
        }
        finally
        {
            document?.Dispose();
        }
    }

    /// <summary>Reads a whole file of at most <paramref name="maxBytes"/> bytes.</summary>
    public static byte[] ReadBytes(string path, int maxBytes)
    {
        try
        {
            using var handle = File.OpenHandle(path);
            var length = RandomAccess.GetLength(handle);
            if (length > maxBytes)
            {
                throw new ModelFormatException(path, $"{length} bytes, at most {maxBytes} are expected of such a file");
            }

            var bytes = new byte[length];
            var filled = 0;
            while (filled < bytes.Length)
            {
                var read = RandomAccess.Read(handle, bytes.AsSpan(filled), filled);
                if (read == 0)
                {
                    throw new ModelFormatException(path, "the file became shorter while it was read");
                }

                filled += read;
            }

            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ModelFormatException(path, e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : $"cannot be read: {e.Message}", cause: e);
        }
    }

    /// <summary>
    /// Runs code that reads names and texts of a document: JSON may hold escapes and bytes that are no text, which the
    /// library reports only when they are decoded.
    /// </summary>
    public static T Decode<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException e)
        {
            throw new ModelFormatException(path, $"holds text that is not valid UTF-8: {e.Message}", cause: e);
        }
    }
}
