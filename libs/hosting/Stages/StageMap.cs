using System.Text.Json;
using System.Text.Json.Serialization;
using Parallax.Contracts.Identifiers;

namespace Parallax.Hosting.Stages;

/// <summary>
/// Who holds which layers, written by hand in a JSON file until workers find each other: <c>--stages map.json</c> of
/// workers and routers.
/// </summary>
/// <remarks>
/// <code>{ "workers": [ { "id": "a", "address": "http://127.0.0.1:7101", "layers": [0, 10] }, ... ] }</code>
/// Layers are [start, end). Several workers may hold the same layers. <c>"links"</c> names another address at which other
/// workers dial this one (behind a proxy or a translated address); left out, it is <c>"address"</c>.
/// </remarks>
public sealed record StageMap(IReadOnlyList<StageMapEntry> Workers)
{
    /// <summary>Reads and checks a map.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="OptionsException">It cannot be read or makes no sense; everything wrong is named.</exception>
    public static StageMap Load(string path)
    {
        StageMapFile? file;
        try
        {
            file = JsonSerializer.Deserialize(File.ReadAllBytes(path), StageMapJson.Default.StageMapFile);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new OptionsException([$"--stages: '{path}' cannot be read as a map of stages: {e.Message}"]);
        }

        var errors = new List<string>();
        if (file?.Workers is not { Count: > 0 } workers)
        {
            throw new OptionsException([$"--stages: '{path}' names no workers; it needs {{ \"workers\": [ {{ \"id\": \"a\", \"address\": \"http://127.0.0.1:7101\", \"layers\": [0, 10] }} ] }}."]);
        }

        var entries = new List<StageMapEntry>();
        for (var i = 0; i < workers.Count; i++)
        {
            var worker = workers[i];
            var name = string.IsNullOrEmpty(worker?.Id) ? $"worker {i + 1}" : $"worker '{worker.Id}'";
            if (string.IsNullOrEmpty(worker?.Id))
            {
                errors.Add($"--stages: '{path}', {name}: \"id\" is missing.");
            }

            var address = ParseAddress(worker?.Address);
            if (address is null)
            {
                errors.Add($"--stages: '{path}', {name}: \"address\" '{worker?.Address}' is not an address like http://127.0.0.1:7101.");
            }

            var links = worker?.Links is { } text ? ParseAddress(text) : address;
            if (links is null && address is not null)
            {
                errors.Add($"--stages: '{path}', {name}: \"links\" '{worker?.Links}' is not an address like http://127.0.0.1:7101.");
            }

            if (worker?.Layers is not [var start, var end] || start < 0 || end <= start)
            {
                errors.Add($"--stages: '{path}', {name}: \"layers\" must be [start, end), two numbers with 0 <= start < end.");
            }
            else if (address is not null && links is not null && !string.IsNullOrEmpty(worker.Id))
            {
                entries.Add(new StageMapEntry(worker.Id, address, new LayerRange(start, end), links));
            }
        }

        errors.AddRange(entries.GroupBy(static entry => entry.Id).Where(static group => group.Count() > 1)
            .Select(group => $"--stages: '{path}': worker '{group.Key}' is named twice."));
        errors.AddRange(entries.GroupBy(static entry => entry.Address).Where(static group => group.Count() > 1)
            .Select(group => $"--stages: '{path}': address '{group.Key}' is named twice."));
        OptionsException.ThrowIfAny(errors);
        return new StageMap(entries);
    }

    /// <summary>The worker of an id.</summary>
    /// <exception cref="OptionsException">There is none; the known ones are named.</exception>
    public StageMapEntry Find(string id) => Workers.FirstOrDefault(worker => worker.Id == id)
        ?? throw new OptionsException([$"--id: the map has no worker '{id}'; it has {string.Join(", ", Workers.Select(static worker => $"'{worker.Id}'"))}."]);

    private static Uri? ParseAddress(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.AbsolutePath == "/" ? uri : null;
}

/// <summary>One worker of a map.</summary>
/// <param name="Id">The id by which links know it.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Layers">The layers it holds.</param>
/// <param name="LinkAddress">Where other workers dial it.</param>
public sealed record StageMapEntry(string Id, Uri Address, LayerRange Layers, Uri LinkAddress);

internal sealed record StageMapFile(IReadOnlyList<StageMapFileEntry?>? Workers);

internal sealed record StageMapFileEntry(string? Id, string? Address, string? Links, int[]? Layers);

[JsonSerializable(typeof(StageMapFile))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
internal sealed partial class StageMapJson : JsonSerializerContext;
