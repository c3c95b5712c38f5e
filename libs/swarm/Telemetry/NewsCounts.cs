namespace Parallax.Swarm.Telemetry;

/// <summary>What a member's wire has done since it was made.</summary>
/// <param name="Sent">Messages handed to the server.</param>
/// <param name="Arrived">Messages from the server, whatever became of them.</param>
/// <param name="Dropped">Messages that were not read in time, oldest first.</param>
/// <param name="Refused">Messages that are no news of this swarm.</param>
/// <param name="Connections">Connections made.</param>
public readonly record struct NewsCounts(long Sent, long Arrived, long Dropped, long Refused, long Connections);
