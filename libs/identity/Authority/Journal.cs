using System.Text.Json;

namespace Parallax.Identity.Authority;

/// <summary>A bounded list of records in a file of the state folder; what is oldest goes first. To be used under the folder's lock.</summary>
internal sealed class Journal<T>(StateFolder folder, string name, int most)
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    public IReadOnlyList<T> Read()
    {
        try
        {
            return folder.Read(name) is { } bytes ? JsonSerializer.Deserialize<List<T>>(bytes, Options) ?? [] : [];
        }
        catch (JsonException e)
        {
            throw new IdentityException($"{Path.Combine(folder.Path, name)} is damaged: {e.Message} Delete it: it is only a list for people.", e);
        }
    }

    public void Write(IEnumerable<T> records) => folder.Write(name, JsonSerializer.SerializeToUtf8Bytes(records.TakeLast(most).ToList(), Options));
}
