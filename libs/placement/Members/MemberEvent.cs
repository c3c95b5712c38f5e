using System.Collections.Immutable;

namespace Parallax.Placement.Members;

/// <summary>Something that happened to a worker.</summary>
public abstract record MemberEvent;

/// <summary>A worker is there, for the first time or again.</summary>
/// <param name="Node">What it can do.</param>
/// <param name="Incarnation">Of this start.</param>
/// <param name="Sequence">Of this news.</param>
public sealed record MemberJoined(PlacementNode Node, long Incarnation, long Sequence) : MemberEvent;

/// <summary>A worker renews its lease, and says what it holds and can do now.</summary>
/// <param name="Node">What it can do; null: as before.</param>
/// <param name="Id">Who.</param>
/// <param name="Incarnation">Of its start.</param>
/// <param name="Sequence">Of this news.</param>
/// <param name="Holds">Its layers; default: as before.</param>
public sealed record MemberRenewed(string Id, long Incarnation, long Sequence, PlacementNode? Node, ImmutableArray<Assignment> Holds) : MemberEvent;

/// <summary>A worker says that it goes.</summary>
/// <param name="Id">Who.</param>
/// <param name="Incarnation">Of its start.</param>
public sealed record MemberLeft(string Id, long Incarnation) : MemberEvent;

/// <summary>Time has passed: leases end.</summary>
public sealed record TimePassed : MemberEvent;
