namespace Parallax.Audit.Retention;

/// <summary>What was retired.</summary>
/// <param name="Requests">Requests that are gone.</param>
/// <param name="Streams">Their segments.</param>
/// <param name="Events">Their events.</param>
/// <param name="Skipped">Requests that are old enough and stay: a segment of theirs has not ended, or no checkpoint vouches for all of it.</param>
public sealed record RetirementReport(long Requests, long Streams, long Events, long Skipped);
