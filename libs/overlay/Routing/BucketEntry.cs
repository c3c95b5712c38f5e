namespace Parallax.Overlay.Routing;

/// <summary>A peer that has answered a call.</summary>
internal sealed class BucketEntry(PeerContact contact, string? network)
{
    public PeerContact Contact { get; set; } = contact;

    /// <summary>The network that it counts for; null: none.</summary>
    public string? Network { get; set; } = network;

    /// <summary>When it answered last.</summary>
    public TimeSpan AnsweredAt { get; set; }

    /// <summary>Of its last answer.</summary>
    public TimeSpan RoundTrip { get; set; }

    /// <summary>Calls without an answer since the last one that was answered.</summary>
    public int Failures { get; set; }
}
