using System.Collections.Immutable;

namespace Parallax.Placement.Members;

/// <summary>A worker that is there.</summary>
/// <param name="Node">What it can do.</param>
/// <param name="Incarnation">Drawn anew at each of its starts; a greater one replaces a smaller.</param>
/// <param name="Sequence">Of the newest news from this incarnation.</param>
/// <param name="Deadline">When its lease ends unless it is renewed, on the caller's clock.</param>
/// <param name="Holds">The layers that it said it holds.</param>
public sealed record Member(PlacementNode Node, long Incarnation, long Sequence, TimeSpan Deadline, ImmutableArray<Assignment> Holds);
