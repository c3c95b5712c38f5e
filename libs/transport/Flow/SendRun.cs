using Parallax.Contracts.Identifiers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Flow;

/// <summary>Rows that a sender may send now, all in its journal.</summary>
/// <param name="Kind">Forward (or Token) or Rebuild.</param>
/// <param name="First">First position.</param>
/// <param name="Count">How many, at least 1.</param>
/// <param name="SampleFrom">Rows from this position on carry the sample flag.</param>
/// <param name="Epoch">The epoch to send under.</param>
/// <param name="Incarnation">The incarnation to address.</param>
/// <param name="Generation">The connection to send on.</param>
public readonly record struct SendRun(
    RowKind Kind, int First, int Count, int SampleFrom, Epoch Epoch, long Incarnation, long Generation);

/// <summary>What a message did to a sender.</summary>
public enum SenderEvent
{
    /// <summary>Nothing that the owner must act on; there may be rows to send.</summary>
    None,

    /// <summary>The next hop has a higher epoch: the session pauses on this stage, KV and ids stay.</summary>
    Paused,

    /// <summary>The next hop lost the session: report StageLost with the present epoch, once.</summary>
    StageLost,
}
