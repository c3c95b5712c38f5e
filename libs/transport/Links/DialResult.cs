namespace Parallax.Transport.Links;

/// <summary>What became of one attempt to dial a peer.</summary>
/// <param name="Connection">The connection, attached to its link; null when there is none.</param>
/// <param name="Failure">Why there is none; null, too, when the peer has connected meanwhile.</param>
/// <param name="IsThere">Whether the peer refused because it has a connection: it is no farther away than that.</param>
internal readonly record struct DialResult(LinkConnection? Connection, string? Failure, bool IsThere = false)
{
    /// <summary>The peer has connected meanwhile.</summary>
    public static DialResult NotNeeded => default;

    /// <summary>The attempt failed.</summary>
    public static DialResult Failed(string why, bool isThere = false) => new(null, why, isThere);
}
