using System.Collections.Immutable;

namespace Parallax.EventStore.Appends;

/// <summary>One call's append, checked.</summary>
internal sealed record AppendRequest(string Stream, long ExpectedVersion, ImmutableArray<NewEvent> Events)
{
    public long Bytes { get; } = Events.Sum(static added => (long)added.Payload.Length);
}
