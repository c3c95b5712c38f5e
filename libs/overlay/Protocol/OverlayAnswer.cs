using Parallax.Overlay.Records;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>What a peer answers.</summary>
internal abstract record OverlayAnswer;

internal sealed record PingAnswer : OverlayAnswer
{
    public static readonly PingAnswer Instance = new();
}

internal sealed record FindNodeAnswer(IReadOnlyList<PeerContact> Peers) : OverlayAnswer;

/// <param name="Records">In the order of publishers.</param>
/// <param name="Peers">Those closest to the key; only with the first page.</param>
/// <param name="More">Whether records behind the last one are left.</param>
internal sealed record FindValueAnswer(IReadOnlyList<HeldRecord> Records, IReadOnlyList<PeerContact> Peers, bool More) : OverlayAnswer;

/// <param name="Outcomes">One per record.</param>
internal sealed record StoreAnswer(IReadOnlyList<StoreOutcome> Outcomes) : OverlayAnswer;

/// <summary>What became of a record that was to be stored.</summary>
internal enum StoreOutcome
{
    Stored,
    Older,
    Refused,
    Full,
}
