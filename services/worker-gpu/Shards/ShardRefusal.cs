namespace Parallax.Worker.Gpu.Shards;

/// <summary>Why an operation on shards was refused.</summary>
public enum ShardRefusal
{
    /// <summary>The request makes no sense.</summary>
    Invalid,

    /// <summary>There is no such shard.</summary>
    NotFound,

    /// <summary>There is one, but not in a state for this.</summary>
    Conflict,

    /// <summary>It does not fit.</summary>
    NoRoom,
}
