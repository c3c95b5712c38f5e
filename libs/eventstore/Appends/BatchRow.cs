namespace Parallax.EventStore.Appends;

/// <summary>An event at the place that it gets.</summary>
internal readonly record struct BatchRow(string Stream, long Version, NewEvent Event);
