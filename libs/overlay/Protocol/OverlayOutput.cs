using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Records;
using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>What the protocol wants done, or has to say.</summary>
internal abstract record OverlayOutput;

/// <summary>A call to be made; its end is told by <see cref="OverlayCore.Answered"/> or <see cref="OverlayCore.Failed"/>.</summary>
/// <param name="Id">Names the call.</param>
/// <param name="Expected">Who must answer; null: whoever is there.</param>
/// <param name="Address">Where.</param>
/// <param name="Request">What is asked.</param>
internal sealed record CallToMake(long Id, PeerId? Expected, Uri Address, OverlayRequest Request) : OverlayOutput;

/// <summary>A put has been acknowledged by the nearest, or by all that can be reached.</summary>
/// <param name="Operation">Which.</param>
/// <param name="Holders">Peers that hold it, this one included.</param>
/// <param name="Newer">Peers that hold a newer record of this peer, which must not be.</param>
internal sealed record PutDone(long Operation, int Holders, int Newer) : OverlayOutput;

/// <summary>A get is complete.</summary>
/// <param name="Operation">Which.</param>
/// <param name="Records">The newest of each publisher, tombstones included, in the order of publishers.</param>
internal sealed record GetDone(long Operation, ImmutableArray<HeldRecord> Records) : OverlayOutput;

/// <summary>A search for peers is complete.</summary>
/// <param name="Operation">Which.</param>
/// <param name="Peers">Those that answered, closest first.</param>
internal sealed record FindDone(long Operation, ImmutableArray<PeerContact> Peers) : OverlayOutput;

/// <summary>A lookup has come to its end.</summary>
/// <param name="Kind">What for: <c>put</c>, <c>get</c>, <c>find</c>.</param>
/// <param name="Hops">The longest chain of calls behind the nearest that answered.</param>
/// <param name="Asked">Peers asked.</param>
internal sealed record LookupDone(string Kind, int Hops, int Asked) : OverlayOutput;

/// <summary>This peer has found its neighbours, or has none to look for.</summary>
internal sealed record JoinDone : OverlayOutput;

/// <summary>A peer has lost its place in the table: connections to it are of no use.</summary>
internal sealed record PeerLost(PeerContact Peer) : OverlayOutput;
