using Parallax.Overlay;

namespace Parallax.Swarm;

/// <summary>Where a swarm's records are published in the overlay.</summary>
public static class SwarmNames
{
    /// <summary>Each worker's record of itself.</summary>
    public static OverlayKey Workers(string swarm) => OverlayKey.Of(swarm, "workers");

    /// <summary>The schedulers' plans: the newest by (term, version) is the plan.</summary>
    public static OverlayKey Plan(string swarm) => OverlayKey.Of(swarm, "plan");

    /// <summary>Each KV-cache instance's record of itself.</summary>
    public static OverlayKey KvCache(string swarm) => OverlayKey.Of(swarm, "kvcache");

    /// <summary>What the swarm's key has revoked.</summary>
    public static OverlayKey Revocations(string swarm) => OverlayKey.Of(swarm, "revocations");
}
