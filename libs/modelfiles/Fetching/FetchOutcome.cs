namespace Parallax.ModelFiles.Fetching;

/// <summary>How a stream of chunks ended.</summary>
internal enum FetchOutcome
{
    /// <summary>All came and were right.</summary>
    Done,

    /// <summary>The peer cannot be reached, hung up or sent nothing for too long.</summary>
    Gone,

    /// <summary>The peer has too many streams now.</summary>
    Busy,

    /// <summary>The peer lacks the chunks, or has another manifest by now.</summary>
    Lacks,

    /// <summary>The peer sent something else than the chunks: it is not asked again.</summary>
    Broken,
}
