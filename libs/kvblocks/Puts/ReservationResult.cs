using System.Collections.Immutable;

namespace Parallax.KvBlocks.Puts;

/// <summary>The first phase of a put.</summary>
/// <param name="Id">Names it in the calls that follow; 0 when nothing was reserved.</param>
/// <param name="States">What came of each claim, in their order.</param>
public sealed record ReservationResult(long Id, ImmutableArray<ClaimState> States);
