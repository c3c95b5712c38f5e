using Parallax.Contracts.Identifiers;

namespace Parallax.KvIndex.Index;

/// <summary>What an index knows of one worker.</summary>
internal sealed class IndexedWorker
{
    /// <summary>The newest run of it that has been heard of.</summary>
    public long Incarnation { get; set; }

    /// <summary>Of that run, the highest number that has been heard.</summary>
    public long Sequence { get; set; }

    /// <summary>Whether all batches up to that number have been applied.</summary>
    public bool IsUsable { get; set; }

    /// <summary>When it last said anything.</summary>
    public TimeSpan HeardAt { get; set; }

    /// <summary>While it is not usable: when it is to be asked to begin anew.</summary>
    public TimeSpan AskAt { get; set; }

    /// <summary>And how long to wait then.</summary>
    public TimeSpan AskPause { get; set; }

    /// <summary>By shard id.</summary>
    public Dictionary<string, IndexedShard> Shards { get; } = new(StringComparer.Ordinal);
}

/// <summary>One shard of an indexed worker.</summary>
/// <param name="Holder">Its number in the table.</param>
/// <param name="Range">Its layers.</param>
internal readonly record struct IndexedShard(int Holder, LayerRange Range);
