namespace Parallax.EventStore.Terms;

/// <summary>Who holds a term.</summary>
/// <param name="Term">From 1; no two holders ever have the same.</param>
/// <param name="Id">The holder's id.</param>
/// <param name="Address">Where it is reached; may be empty.</param>
public sealed record TermHolder(long Term, string Id, string Address);
