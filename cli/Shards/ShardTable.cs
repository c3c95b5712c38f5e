using System.Globalization;
using Parallax.Cli.Terminal;
using Parallax.Contracts.V1;

namespace Parallax.Cli.Shards;

/// <summary>A worker's shards for people.</summary>
internal static class ShardTable
{
    /// <summary>A line per shard under a heading, and the memory.</summary>
    public static string Format(ListShardsReply reply)
    {
        List<string[]> rows = [["SHARD", "MODEL", "LAYERS", "STATE", "WEIGHTS", "KV CACHE", "SESSIONS"]];
        rows.AddRange(reply.Shards.Select(static shard => new[]
        {
            shard.Model.ShardId,
            shard.Model.Name,
            string.Create(CultureInfo.InvariantCulture, $"{shard.Model.LayerStart}-{shard.Model.LayerEnd} of {shard.Model.LayerCount}"),
            shard.State.ToString().ToLowerInvariant(),
            Figures.Bytes(shard.WeightBytes),
            Figures.Bytes(shard.KvBytes),
            shard.Sessions.ToString(CultureInfo.InvariantCulture),
        }));
        return TextTable.Format(rows) + string.Create(CultureInfo.InvariantCulture, $"memory: {Figures.Bytes(reply.MemoryUsedBytes)} of {Figures.Bytes(reply.MemoryLimitBytes)} used\n");
    }
}
