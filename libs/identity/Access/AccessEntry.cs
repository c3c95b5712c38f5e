namespace Parallax.Identity.Access;

/// <summary>A line of the table of who may call what.</summary>
/// <param name="Calls">A gRPC service, e.g. <c>parallax.v1.Overlay</c>, or one method of it, e.g. <c>parallax.v1.Swarm/Leave</c>, which goes first.</param>
/// <param name="Rule">Who.</param>
public sealed record AccessEntry(string Calls, AccessRule Rule);
