using Parallax.Identity;

namespace Parallax.Audit.Log;

/// <summary>Who writes.</summary>
/// <param name="Key">Signs checkpoints.</param>
/// <param name="Certificate">The swarm's certificate for it in DER; empty where there is none.</param>
public sealed record AuditWriterIdentity(PeerKey Key, ReadOnlyMemory<byte> Certificate)
{
    /// <summary>The swarm's own certificate in DER, with which the other can be checked; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Authority { get; init; }

    /// <summary>Whether the key goes with the log; else it stays the caller's.</summary>
    public bool OwnsKey { get; init; }

    /// <summary>Its id.</summary>
    public string Id => Key.Id.ToString();
}
