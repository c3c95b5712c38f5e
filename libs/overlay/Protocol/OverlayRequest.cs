using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Records;

namespace Parallax.Overlay.Protocol;

/// <summary>What one peer asks of another.</summary>
internal abstract record OverlayRequest;

internal sealed record PingCall : OverlayRequest
{
    public static readonly PingCall Instance = new();
}

internal sealed record FindNodeCall(PeerId Target) : OverlayRequest;

/// <param name="Key">Which records.</param>
/// <param name="After">Only those of publishers behind this one; null: all.</param>
internal sealed record FindValueCall(OverlayKey Key, PeerId? After) : OverlayRequest;

internal sealed record StoreCall(IReadOnlyList<HeldRecord> Records) : OverlayRequest;
