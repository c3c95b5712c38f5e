using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Lookup;

/// <summary>A peer that a lookup has heard of.</summary>
internal sealed class LookupCandidate(PeerContact contact, PeerId distance, int hop)
{
    public PeerContact Contact => contact;

    public PeerId Distance => distance;

    /// <summary>Calls on the way to its answer, its own included; 0: this peer itself.</summary>
    public int Hop => hop;

    public CandidateState State { get; set; }

    public TimeSpan AskedAt { get; set; }
}

/// <summary>How far a lookup is with a candidate.</summary>
internal enum CandidateState
{
    New,
    Asked,
    Answered,
    Failed,
}
