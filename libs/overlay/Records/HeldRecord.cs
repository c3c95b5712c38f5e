namespace Parallax.Overlay.Records;

/// <summary>A record with the time it has left, which travels beside it and only ever falls.</summary>
internal readonly record struct HeldRecord(SignedRecord Record, TimeSpan Remaining);
