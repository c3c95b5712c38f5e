namespace Parallax.KvIndex.Index;

/// <summary>Bounds and times of a <see cref="PrefixIndex"/>.</summary>
public sealed record PrefixIndexOptions
{
    /// <summary>(Shard, block) pairs at most; default 1,048,576, which take 30 MiB. When all are taken, the worker with most gives its oldest.</summary>
    public int Capacity { get; init; } = 1 << 20;

    /// <summary>Workers at most; others' announcements are not taken. Default 4,096.</summary>
    public int MaxWorkers { get; init; } = 4096;

    /// <summary>Decides where pairs lie: a number that workers do not know.</summary>
    public ulong Seed { get; init; }

    /// <summary>How long after a worker was asked to begin anew it is asked again; doubles up to <see cref="LongestAsk"/>. Default 1 s.</summary>
    public TimeSpan FirstAsk { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause between two such questions. Default 30 s.</summary>
    public TimeSpan LongestAsk { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A worker that has said nothing for so long is forgotten: it would have said at least that nothing changes. Default 60 s.</summary>
    public TimeSpan SilentTime { get; init; } = TimeSpan.FromSeconds(60);
}
