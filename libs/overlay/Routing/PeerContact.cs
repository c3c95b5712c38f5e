using Parallax.Contracts.Identifiers;

namespace Parallax.Overlay.Routing;

/// <summary>A peer and where it is dialled.</summary>
internal sealed record PeerContact(PeerId Id, Uri Address);
