using System.Net;
using Parallax.Hosting;
using Parallax.Identity.Tokens;
using Parallax.Swarm.Telemetry;
using Parallax.Worker.Gpu;

namespace Parallax.Cli.Swarm;

/// <summary>What <c>parallax join</c> was asked for.</summary>
internal sealed record JoinSettings
{
    /// <summary>The port that is listened on when none is named and it is free.</summary>
    public const int DefaultPort = 7101;

    /// <summary>A member of the swarm.</summary>
    public required Uri Bootstrap { get; init; }

    /// <summary>The token; null where this machine has a certificate from an earlier time.</summary>
    public JoinToken? Token { get; init; }

    /// <summary>Models at hand.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Where to listen; null: any address, or loopback where the bootstrap is on it, at the default port or any.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>Where others are to dial it; empty: found out.</summary>
    public IReadOnlyList<Uri> Advertise { get; init; } = [];

    /// <summary>The state folder; null for one of its own.</summary>
    public string? State { get; init; }

    /// <summary>What people call it.</summary>
    public string Name { get; init; } = Environment.MachineName;

    /// <summary>Where it stands; empty: unsaid.</summary>
    public string Region { get; init; } = "";

    /// <summary>Bytes for weights and KV; null for the default.</summary>
    public long? Memory { get; init; }

    /// <summary>Compute threads; null takes one per core.</summary>
    public int? Threads { get; init; }

    /// <summary>NATS; null for none.</summary>
    public NatsOptions? Nats { get; init; }

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
    };

    /// <exception cref="OptionsException">Options cannot be used; lists all of them.</exception>
    public void ThrowIfInvalid()
    {
        List<string> errors = [.. ToWorker(Listen ?? new IPEndPoint(IPAddress.Loopback, 0)).Validate()];
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
