namespace Parallax.KvClient;

/// <summary>What came of a put.</summary>
/// <param name="Copies">Copies that are at instances now: sent by this put, or there before.</param>
/// <param name="Sent">Of those, how many this put sent.</param>
/// <param name="Missed">Copies that should have been made and were not: an instance failed, or had no room.</param>
public readonly record struct PutOutcome(int Copies, int Sent, int Missed);
