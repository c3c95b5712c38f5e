using Parallax.Overlay.Routing;

namespace Parallax.Overlay.Protocol;

/// <summary>Who makes a call.</summary>
/// <param name="Key">What its calls and records are counted under: its certificate's id, or where it calls from.</param>
/// <param name="Contact">Who it says it is and where it is dialled; null: it cannot be dialled.</param>
internal readonly record struct OverlayCaller(string Key, PeerContact? Contact);
