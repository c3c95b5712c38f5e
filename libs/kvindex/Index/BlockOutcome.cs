namespace Parallax.KvIndex.Index;

/// <summary>What became of a batch.</summary>
public enum BlockOutcome
{
    /// <summary>The index knows what it says.</summary>
    Applied,

    /// <summary>It was known, or is of a run of the worker that is over.</summary>
    Old,

    /// <summary>Something before it was missed: nothing of the worker counts until it begins anew, for which it is to be asked.</summary>
    Gap,

    /// <summary>There are as many workers, or shards of the worker, as the index takes.</summary>
    Full,
}
