using Parallax.Contracts.Identifiers;

namespace Parallax.Overlay.Protocol;

/// <summary>Somebody to reach again: a bootstrap address, which is never given up, or a peer that was lost.</summary>
internal sealed class RejoinTarget(Uri address, bool isBootstrap)
{
    public Uri Address => address;

    public bool IsBootstrap => isBootstrap;

    /// <summary>Who answered there last.</summary>
    public PeerId? Id { get; set; }

    /// <summary>When it was lost.</summary>
    public TimeSpan LostAt { get; init; }

    public TimeSpan Pause { get; set; }

    public TimeSpan NextAt { get; set; }

    public bool IsBeingTried { get; set; }
}
