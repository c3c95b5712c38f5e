using System.Text;

namespace Parallax.Worker.Gpu.Shards;

/// <summary>Finds the shard that an Open asks for.</summary>
internal static class ShardLookup
{
    /// <summary>The shard, or null and what is served instead. Of several equal ones the one that was loaded last.</summary>
    /// <param name="serving">Shards that take sessions, in the order of their loading.</param>
    /// <param name="query">What is asked for.</param>
    /// <param name="refusal">Set when there is none.</param>
    public static Shard? Find(IReadOnlyList<Shard> serving, ShardQuery query, out string refusal)
    {
        for (var i = serving.Count - 1; i >= 0; i--)
        {
            if (Matches(serving[i], query))
            {
                refusal = "";
                return serving[i];
            }
        }

        refusal = $"Asked for {Describe(query)}; this worker serves {Describe(serving)}.";
        return null;
    }

    private static bool Matches(Shard shard, ShardQuery query)
    {
        if (shard.Model.Name != query.Model || shard.Engine is not { } engine)
        {
            return false;
        }

        var numericClass = engine.Info.NumericClass;
        return (query.Range is { } range ? shard.Range == range : shard.IsWhole)
            && (query.WeightsHash.Length == 0 || query.WeightsHash == numericClass.WeightsHash)
            && (query.NumericClass is null || query.NumericClass == numericClass);
    }

    private static string Describe(ShardQuery query)
    {
        var text = new StringBuilder($"model '{Wording.Printable(query.Model)}', {(query.Range is { } range ? $"layers {range}" : "all layers")}");
        if (query.NumericClass is { } numericClass)
        {
            text.Append($", class {Wording.Printable(numericClass.Fingerprint)}");
        }

        return query.WeightsHash.Length == 0 ? text.ToString() : $"{text}, weights {Short(query.WeightsHash)}";
    }

    private static string Describe(IReadOnlyList<Shard> serving) => serving.Count == 0
        ? "nothing now"
        : string.Join("; ", serving.Select(static shard =>
            $"'{shard.Model.Name}' layers {shard.Range} of {shard.Model.LayerCount} ({shard.Engine?.Info.NumericClass.Fingerprint}, weights {Short(shard.Engine?.Info.NumericClass.WeightsHash ?? "")})"));

    private static string Short(string hash) => Wording.Printable(hash.Length <= 12 ? hash : hash[..12]);
}
