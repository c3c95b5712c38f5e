using System.Net;
using System.Security.Cryptography;
using System.Text;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting.Status;
using Parallax.Runtime.Execution;

namespace Parallax.Worker.Gpu;

/// <summary>How a worker is set up.</summary>
public sealed record WorkerOptions
{
    /// <summary>The model to load at the start: a folder or a .gguf file; null only with <see cref="NoModel"/>.</summary>
    public string? Model { get; init; }

    /// <summary>Whether the worker starts without a model and waits to be told what to load.</summary>
    public bool NoModel { get; init; }

    /// <summary>The model's layers to load at the start; null for all.</summary>
    public LayerRange? Layers { get; init; }

    /// <summary>The id by which links know the worker, the same at each start of it; drawn when none is named.</summary>
    public string Id { get; init; } = $"w-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";

    /// <summary>Compute device: <c>cpu</c> (default) or <c>cuda</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Greatest prompt + answer in tokens; null takes the model's own, as far as memory allows.</summary>
    public int? ContextLimit { get; init; }

    /// <summary>Compute threads; null takes one per core.</summary>
    public int? Threads { get; init; }

    /// <summary>Sessions computed together in one step; null takes the engine's default.</summary>
    public int? MaxBatch { get; init; }

    /// <summary>Residual precision of the numeric class of the model that is loaded at the start.</summary>
    public ResidualPrecision Residual { get; init; } = ResidualPrecision.BF16;

    /// <summary>Precision on its links to other stages.</summary>
    public LinkPrecision Links { get; init; }

    /// <summary>Positions of KV room over all sessions; null takes the default.</summary>
    public int? KvTokens { get; init; }

    /// <summary>Bytes for weights, KV and scratch of all shards; null takes 80 % of what the process may use.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>The IP address to listen on; loopback by default.</summary>
    public string Bind { get; init; } = IPAddress.Loopback.ToString();

    /// <summary>The port to listen on; 0 takes any free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Whether it may listen in clear text where other machines reach it.</summary>
    public bool Insecure { get; init; }

    /// <summary>How long running sessions may go on when the worker is asked to stop; zero ends them at once.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Where hidden states that are kept for the next stage go when memory for them is spent, in a file that has no name once it
    /// is open; null keeps none there. Default: a folder in the user's application data.
    /// </summary>
    public string? JournalFolder { get; init; } = DefaultJournalFolder;

    /// <summary>The default of <see cref="JournalFolder"/>.</summary>
    public static string DefaultJournalFolder
    {
        get
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
            return Path.Combine(home.Length > 0 ? home : Path.GetTempPath(), "parallax", "journals");
        }
    }

    /// <summary>How long the ids of ended sessions are kept (session protocol, rule 9).</summary>
    public TimeSpan RetainIds { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Ids of ended sessions kept at most, all sessions together; the oldest go first.</summary>
    public int MaxRetainedIds { get; init; } = 4 * 1024 * 1024;

    /// <summary>Where it answers machines over HTTP: health and metrics; null: nowhere.</summary>
    public StatusOptions? Status { get; init; }

    /// <summary>The port when none is named.</summary>
    public const int DefaultPort = 7101;

    /// <summary>Bytes of an id in UTF-8 at most.</summary>
    public const int MostIdBytes = 128;

    /// <summary>Everything that is wrong with these options; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        ValidateModel(errors);

        if (Device is not ("cpu" or "cuda"))
        {
            errors.Add($"--device: '{Device}' is unknown; this worker knows cpu and cuda.");
        }

        RequireAtLeast("--ctx", ContextLimit, 1, errors);
        RequireAtLeast("--threads", Threads, 1, errors);
        RequireAtLeast("--max-batch", MaxBatch, 1, errors);
        RequireAtLeast("--kv-tokens", KvTokens, 2, errors);
        if (MemoryBytes <= 0)
        {
            errors.Add($"--memory: {MemoryBytes} bytes is too small; name a size like 4GiB.");
        }

        if (string.IsNullOrWhiteSpace(Id) || Encoding.UTF8.GetByteCount(Id) > MostIdBytes || Id.Any(char.IsControl))
        {
            errors.Add($"--id: '{Id}' is no id; use 1 to {MostIdBytes} bytes of text.");
        }

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

        errors.AddRange(Status?.Validate() ?? []);
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

    /// <summary>Refuses to let other machines in without knowing who they are, unless that is asked for.</summary>
    /// <param name="hasCredentials">Whether the worker is a member of a swarm.</param>
    public IReadOnlyList<string> ValidateExposure(bool hasCredentials) =>
        hasCredentials || Insecure || !IPAddress.TryParse(Bind, out var address) || IPAddress.IsLoopback(address)
            ? []
            : [$"--bind: {Bind} lets other machines in, and without a swarm's certificate anybody among them could read and change what the worker computes. Join a swarm with 'parallax join', or say --insecure on a network where you trust everybody."];

    private void ValidateModel(List<string> errors)
    {
        if (NoModel)
        {
            if (Model is not null || Layers is not null)
            {
                errors.Add($"--no-model: the worker starts empty; leave out {(Model is not null ? "--model" : "--layers")}, or --no-model.");
            }
        }
        else if (string.IsNullOrWhiteSpace(Model))
        {
            errors.Add("--model: name a model folder or a .gguf file, or --no-model to start empty and load by call.");
        }
        else if (!Path.Exists(Model))
        {
            errors.Add($"--model: '{Model}' does not exist.");
        }

        if (Layers is { } range && (range.Start < 0 || range.End <= range.Start))
        {
            errors.Add($"--layers: {range.Start}-{range.End} is no range; use START-END with 0 <= START < END, END exclusive, e.g. 0-10.");
        }
    }

    private static void RequireAtLeast(string name, int? value, int least, List<string> errors)
    {
        if (value < least)
        {
            errors.Add($"{name}: {value} is too small; use at least {least}.");
        }
    }
}
