using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;

namespace Parallax.Overlay;

/// <summary>The overlay as its users see it. Thread-safe.</summary>
public interface IOverlay
{
    /// <summary>This peer.</summary>
    PeerId Self { get; }

    /// <summary>
    /// Signs this peer's next record under a key: from now on it is the one that is republished. Nothing is stored yet, so
    /// that news can travel on faster ways than the overlay's.
    /// </summary>
    /// <param name="key">Where.</param>
    /// <param name="value">At most <see cref="OverlayLimits.MaxValueBytes"/> bytes.</param>
    /// <param name="lease">How long it lives unless it is renewed; at most <see cref="OverlayLimits.MaxLease"/>.</param>
    FoundRecord Seal(OverlayKey key, ReadOnlyMemory<byte> value, TimeSpan lease);

    /// <summary>
    /// Publishes a record that this peer sealed; it is republished, or a newer one in its place, until
    /// <see cref="RemoveAsync"/> or disposal.
    /// </summary>
    /// <param name="record">Of <see cref="Seal"/>.</param>
    /// <param name="cancellationToken">Gives up waiting; the record may have been stored.</param>
    /// <returns>How many peers hold it now, this one included: completes when the nearest three have acknowledged.</returns>
    Task<int> PutAsync(FoundRecord record, CancellationToken cancellationToken);

    /// <summary>Reads and verifies a record that came on another way; null when it is none, forged or expired.</summary>
    FoundRecord? Open(ReadOnlyMemory<byte> envelope);

    /// <summary>Replaces this peer's record under a key by an empty one, which readers do not see, for one lease.</summary>
    Task RemoveAsync(OverlayKey key, CancellationToken cancellationToken);

    /// <summary>The living records under a key, of all publishers, the newest of each; ordered by publisher.</summary>
    Task<ImmutableArray<FoundRecord>> GetAsync(OverlayKey key, CancellationToken cancellationToken);

    /// <summary>Peers in the routing table.</summary>
    ImmutableArray<KnownPeer> Peers { get; }
}

/// <summary>A record that was found; its signature has been verified.</summary>
/// <param name="Key">Where it is published.</param>
/// <param name="Publisher">Who signed it.</param>
/// <param name="PublicKey">The publisher's key.</param>
/// <param name="Incarnation">Records of a publisher are ordered by this first.</param>
/// <param name="Sequence">And then by this.</param>
/// <param name="Remaining">Time to live.</param>
/// <param name="Value">Contents.</param>
/// <param name="Envelope">The whole record, serialised, to be passed on.</param>
public sealed record FoundRecord(
    OverlayKey Key, PeerId Publisher, ReadOnlyMemory<byte> PublicKey, long Incarnation, long Sequence, TimeSpan Remaining, ReadOnlyMemory<byte> Value, ReadOnlyMemory<byte> Envelope);

/// <summary>A peer in the routing table.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Address">Where it is dialled.</param>
/// <param name="RoundTrip">Of the last call; null when none has been made.</param>
public sealed record KnownPeer(PeerId Id, Uri Address, TimeSpan? RoundTrip);

/// <summary>Limits that all peers agree in.</summary>
public static class OverlayLimits
{
    /// <summary>Bytes of a record's value at most.</summary>
    public const int MaxValueBytes = 48 * 1024;

    /// <summary>The longest lease.</summary>
    public static readonly TimeSpan MaxLease = TimeSpan.FromHours(24);
}
