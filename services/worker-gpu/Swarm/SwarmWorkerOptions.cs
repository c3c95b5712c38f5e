namespace Parallax.Worker.Gpu.Swarm;

/// <summary>The times of a worker in a swarm.</summary>
internal sealed record SwarmWorkerOptions
{
    /// <summary>How often it looks at the plan when nothing wakes it.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The pause after a load that failed; doubled with each further one, up to sixty times this.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long others may take to serve what this worker serves when it leaves.</summary>
    public TimeSpan LeaveTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long sessions may go on on a shard that is given up: as long as a request may take.</summary>
    public TimeSpan SessionTime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The same, while what the plan wants finds no room beside it.</summary>
    public TimeSpan RoomTime { get; init; } = TimeSpan.FromSeconds(5);
}
