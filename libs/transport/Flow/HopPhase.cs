namespace Parallax.Transport.Flow;

/// <summary>Where one side of a hop stands.</summary>
public enum HopPhase
{
    /// <summary>Fenced: neither sends nor computes, waits for Resume.</summary>
    Fenced,

    /// <summary>Runs.</summary>
    Running,

    /// <summary>The next hop has a higher epoch: keeps everything, waits for Fence, Cancel or the end of its lease.</summary>
    Paused,

    /// <summary>The next hop does not know the session: StageLost has been reported, waits for Fence.</summary>
    Lost,
}

/// <summary>What became of a Fence.</summary>
public enum FenceResult
{
    /// <summary>Fenced at the epoch; acknowledge it.</summary>
    Fenced,

    /// <summary>Runs at this epoch already: a repeated Fence, nothing to do.</summary>
    AlreadyRunning,

    /// <summary>The Fence is below the present epoch: answer Stale on the control stream.</summary>
    Stale,
}
