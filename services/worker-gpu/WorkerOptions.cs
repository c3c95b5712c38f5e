using System.Net;

namespace Parallax.Worker.Gpu;

/// <summary>How a worker is set up.</summary>
public sealed record WorkerOptions
{
    /// <summary>The model: a folder or a .gguf file.</summary>
    public required string Model { get; init; }

    /// <summary>Compute device: <c>cpu</c> (default) or <c>cuda</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Greatest prompt + answer in tokens; null takes the model's own, as far as memory allows.</summary>
    public int? ContextLimit { get; init; }

    /// <summary>Compute threads; null takes one per core.</summary>
    public int? Threads { get; init; }

    /// <summary>Sessions computed together in one step; null takes the engine's default.</summary>
    public int? MaxBatch { get; init; }

    /// <summary>The IP address to listen on; loopback by default.</summary>
    public string Bind { get; init; } = IPAddress.Loopback.ToString();

    /// <summary>The port to listen on; 0 takes any free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>How long running sessions may go on when the worker is asked to stop; zero ends them at once.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the ids of ended sessions are kept (session protocol, rule 9).</summary>
    public TimeSpan RetainIds { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Ids of ended sessions kept at most, all sessions together; the oldest go first.</summary>
    public int MaxRetainedIds { get; init; } = 4 * 1024 * 1024;

    /// <summary>The port when none is named.</summary>
    public const int DefaultPort = 7101;

    /// <summary>Everything that is wrong with these options; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(Model))
        {
            errors.Add("--model: name a model folder or a .gguf file.");
        }
        else if (!Path.Exists(Model))
        {
            errors.Add($"--model: '{Model}' does not exist.");
        }

        if (Device is not ("cpu" or "cuda"))
        {
            errors.Add($"--device: '{Device}' is unknown; this worker knows cpu and cuda.");
        }

        RequireAtLeast("--ctx", ContextLimit, 1, errors);
        RequireAtLeast("--threads", Threads, 1, errors);
        RequireAtLeast("--max-batch", MaxBatch, 1, errors);
        if (!IPAddress.TryParse(Bind, out _))
        {
            errors.Add($"--bind: '{Bind}' is not an IP address; use e.g. 127.0.0.1, or 0.0.0.0 for all interfaces.");
        }

        if (Port is < 0 or > 65535)
        {
            errors.Add($"--port: {Port} is not a port; use 0 to 65535 (0: any free one).");
        }

        if (DrainTime < TimeSpan.Zero || DrainTime > TimeSpan.FromMinutes(10))
        {
            errors.Add($"--drain: {DrainTime.TotalSeconds} s is out of range; use 0 to 600 s.");
        }

        if (RetainIds < TimeSpan.Zero)
        {
            errors.Add("RetainIds must not be negative.");
        }

        if (MaxRetainedIds < 0)
        {
            errors.Add("MaxRetainedIds must not be negative.");
        }

        return errors;
    }

    private static void RequireAtLeast(string name, int? value, int least, List<string> errors)
    {
        if (value < least)
        {
            errors.Add($"{name}: {value} is too small; use at least {least}.");
        }
    }
}
