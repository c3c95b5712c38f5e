using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.Overlay;

namespace Parallax.Swarm.Members;

/// <summary>A signed record that is passed on: its time to live goes on counting down while it is held.</summary>
/// <param name="Record">As it came.</param>
/// <param name="HeldSince">When, on this member's clock.</param>
internal sealed record RelayedRecord(FoundRecord Record, TimeSpan HeldSince)
{
    /// <summary>What is left of its time to live.</summary>
    public TimeSpan RemainingAt(TimeSpan now) => Record.Remaining - (now - HeldSince);

    /// <summary>The record as it is to travel now; empty once it has expired.</summary>
    public ByteString EnvelopeAt(TimeSpan now)
    {
        var remaining = RemainingAt(now);
        if (remaining <= TimeSpan.Zero)
        {
            return ByteString.Empty;
        }

        var envelope = OverlayRecord.Parser.ParseFrom(Record.Envelope.Span);
        envelope.RemainingMs = (long)remaining.TotalMilliseconds;
        return envelope.ToByteString();
    }
}
