using System.Net;
using Parallax.Hosting;
using Parallax.Hosting.Status;
using Parallax.Swarm.Joining;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>How this machine is given to a swarm as a worker.</summary>
/// <param name="Swarm">Which swarm, and as whom. Without an address to listen on: any, or loopback where the other member is on it, at the default port or any.</param>
internal sealed record JoinSettings(JoinSwarm Swarm)
{
    /// <summary>Models at hand.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>What people call it.</summary>
    public string Name { get; init; } = Environment.MachineName;

    /// <summary>Where it stands; empty: unsaid.</summary>
    public string Region { get; init; } = "";

    /// <summary>Bytes for weights and KV; null for the default.</summary>
    public long? Memory { get; init; }

    /// <summary>Compute threads; null takes one per core.</summary>
    public int? Threads { get; init; }

    /// <summary>Requests computed together; null takes the engine's default.</summary>
    public int? MaxBatch { get; init; }

    /// <summary>Where hidden states that are kept for the next stage go when memory for them is spent; null: nowhere.</summary>
    public string? JournalFolder { get; init; } = WorkerOptions.DefaultJournalFolder;

    /// <summary>Compute device.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Where it answers machines over HTTP; null: nowhere.</summary>
    public StatusOptions? Status { get; init; }

    /// <summary>How long others may take to take over when it leaves, and running answers to end.</summary>
    public TimeSpan LeaveTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The worker's own options, to listen at a port.</summary>
    public WorkerOptions ToWorker(IPEndPoint listen) => new()
    {
        NoModel = true,
        Bind = listen.Address.ToString(),
        Port = listen.Port,
        Threads = Threads,
        MemoryBytes = Memory,
        DrainTime = LeaveTime,
        MaxBatch = MaxBatch,
        JournalFolder = JournalFolder,
        Device = Device,
    };

    /// <exception cref="OptionsException">Options cannot be used; lists all of them.</exception>
    public void ThrowIfInvalid()
    {
        List<string> errors = [.. ToWorker(Swarm.Listen ?? new IPEndPoint(IPAddress.Loopback, 0)).Validate()];
        errors.AddRange(Models.Where(static path => !Path.Exists(path)).Select(static path => $"--model: '{path}' does not exist."));
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > 128 || Name.Any(char.IsControl))
        {
            errors.Add("--name: use 1 to 128 printable characters.");
        }

        if (Region.Length > 128 || Region.Any(char.IsControl))
        {
            errors.Add("--region: use at most 128 printable characters.");
        }

        OptionsException.ThrowIfAny(errors);
    }
}
