using Parallax.Contracts.V1;
using Parallax.ModelFiles.Storage;
using Parallax.Placement;
using Parallax.Swarm.Hosting;
using Parallax.Swarm.Telemetry;
using Parallax.Worker.Gpu.Shards;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>A worker of a swarm, before it starts.</summary>
public sealed record SwarmWorkerSetup
{
    /// <summary>Device, threads, memory, address, drain; no model.</summary>
    public required WorkerOptions Options { get; init; }

    /// <summary>Who it is and whom it joins; the worker's record is filled in.</summary>
    public required MemberSetup Member { get; init; }

    /// <summary>The models that it has and can give to others. Stays the caller's.</summary>
    public required ModelStore Models { get; init; }

    /// <summary>Where it announces which KV blocks it has cached; null: nowhere. Stays the caller's.</summary>
    public IBlockNews? BlockNews { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary>What the machine can do, as measured.</summary>
    public required Device Device { get; init; }

    /// <summary>Places layers while no scheduler lives.</summary>
    public required Replan Replan { get; init; }

    /// <summary>Memory that it shares with other workers of this process; null for all of its own.</summary>
    public MemoryLedger? Memory { get; init; }

    /// <summary>Further services of the same host, e.g. the scheduler.</summary>
    public Action<WebApplicationBuilder>? Add { get; init; }

    /// <summary>Their calls.</summary>
    public Action<WebApplication>? Map { get; init; }

    /// <summary>How long others may take to serve what this worker serves when it leaves.</summary>
    public TimeSpan LeaveTime { get; init; } = TimeSpan.FromSeconds(60);
}
