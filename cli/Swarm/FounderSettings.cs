using System.Net;
using Parallax.Cli.Run;
using Parallax.Hosting;
using Parallax.Swarm.Telemetry;
using Parallax.Worker.Gpu;

namespace Parallax.Cli.Swarm;

/// <summary>What <c>parallax run --listen</c> was asked for beside what <c>run</c> takes anyway.</summary>
/// <param name="Run">Model, API, workers.</param>
/// <param name="Listen">Where other members dial the first worker; further workers of this process take any port.</param>
internal sealed record FounderSettings(RunSettings Run, IPEndPoint Listen)
{
    /// <summary>Where others are to dial it; empty: found out.</summary>
    public IReadOnlyList<Uri> Advertise { get; init; } = [];

    /// <summary>The state folder; null for the default.</summary>
    public string? State { get; init; }

    /// <summary>What people call the machine.</summary>
    public string Name { get; init; } = Environment.MachineName;

    /// <summary>Where it stands; empty: unsaid.</summary>
    public string Region { get; init; } = "";

    /// <summary>Bytes for weights and KV of all workers of this process; null for the default.</summary>
    public long? Memory { get; init; }

    /// <summary>NATS; null for none.</summary>
    public NatsOptions? Nats { get; init; }

    /// <summary>How long the token lives that is printed.</summary>
    public TimeSpan TokenLife { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A worker of this process, counted from 0.</summary>
    public WorkerOptions ToWorker(int index) => new()
    {
        NoModel = true,
        Bind = Listen.Address.ToString(),
        Port = index == 0 ? Listen.Port : 0,
        Threads = Run.Threads,
        MemoryBytes = Memory / Run.Workers,
        DrainTime = TimeSpan.Zero, // the router has drained by then
    };

    /// <exception cref="OptionsException">Options cannot be used; lists all of them.</exception>
    public void ThrowIfInvalid()
    {
        Run.ThrowIfInvalid();
        OptionsException.ThrowIfAny(ToWorker(0).Validate());
    }
}
