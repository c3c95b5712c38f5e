using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;

namespace Parallax.Audit.Verify;

/// <summary>
/// A file with the heads that a verification saw, for the next one to compare with: keep it where who could change the event
/// store cannot change it. It finds what nobody else can, an open term's newest checkpoints cut off together with what they list.
/// </summary>
public static class RememberedHeads
{
    /// <summary>The heads; none where there is no file yet.</summary>
    /// <exception cref="AuditFormatException">The file is something else, or cannot be read.</exception>
    public static ImmutableArray<StreamHead> Read(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                return [];
            }

            var file = JsonSerializer.Deserialize(File.ReadAllBytes(path), RememberedJson.Default.RememberedFile);
            return file is { Parallax: "audit heads", Heads.IsDefault: false } && file.Heads.All(static head => head is { Stream: not null, Head: not null, Length: > 0 })
                ? file.Heads
                : throw new AuditFormatException($"'{path}' does not hold heads that a verification remembered: name another file.");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new AuditFormatException($"'{path}', which should hold heads that a verification remembered, cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Replaces the file's contents; a crash leaves the old ones.</summary>
    /// <exception cref="AuditFormatException">It cannot be written.</exception>
    public static void Write(string path, ImmutableArray<StreamHead> heads)
    {
        var fresh = $"{path}.new";
        try
        {
            using (var file = File.Create(fresh))
            {
                JsonSerializer.Serialize(file, new RememberedFile("audit heads", heads), RememberedJson.Default.RememberedFile);
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AuditFormatException($"'{path}' cannot be written: {e.Message}", e);
        }
    }
}

internal sealed record RememberedFile(string Parallax, ImmutableArray<StreamHead> Heads);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(RememberedFile))]
internal sealed partial class RememberedJson : JsonSerializerContext;
