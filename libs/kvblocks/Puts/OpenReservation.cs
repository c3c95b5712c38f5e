namespace Parallax.KvBlocks.Puts;

/// <summary>A put between its phases: slots by the parts' addresses.</summary>
internal sealed record OpenReservation(long Id, TimeSpan ExpiresAt, Dictionary<PartAddress, int> Slots);
