using System.Globalization;
using System.Net;
using Parallax.Hosting;
using Parallax.Router;
using Parallax.Router.Access;
using Parallax.Runtime.Execution;
using Parallax.Worker.Gpu;

namespace Parallax.Cli.Run;

/// <summary>What <c>parallax run</c> was asked for.</summary>
internal sealed record RunSettings
{
    /// <summary>A model folder or .gguf file.</summary>
    public required string Model { get; init; }

    /// <summary>The API's port; 0 takes any free one.</summary>
    public int Port { get; init; } = RouterOptions.DefaultPort;

    /// <summary>The API's IP address.</summary>
    public string Bind { get; init; } = IPAddress.Loopback.ToString();

    /// <summary>Greatest prompt + answer; null takes the model's own, at most 4,096.</summary>
    public int? Context { get; init; }

    /// <summary>Compute threads; null takes one per core.</summary>
    public int? Threads { get; init; }

    /// <summary>Requests computed together; null takes the engine's default.</summary>
    public int? MaxBatch { get; init; }

    /// <summary>Residual precision of the numeric class.</summary>
    public ResidualPrecision Residual { get; init; } = ResidualPrecision.BF16;

    /// <summary>Workers that the model is cut over.</summary>
    public int Workers { get; init; } = DefaultWorkers;

    /// <summary>The audit of requests; null keeps none.</summary>
    public RouterAudit? Audit { get; init; }

    /// <summary>Who may use the API, and over which connections.</summary>
    public RouterAccess Access { get; init; } = new();

    /// <summary>How long running answers may go on after the first Ctrl-C.</summary>
    public static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(3);

    /// <summary>Workers when no number is named.</summary>
    public const int DefaultWorkers = 3;

    /// <summary>One worker, counted from 1: an own port on loopback, which only this process knows.</summary>
    public WorkerOptions ToWorker(int number) => new()
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"worker-{number}"),
        Model = Model,
        Residual = Residual,
        ContextLimit = Context,
        Threads = Threads,
        MaxBatch = MaxBatch,
        Port = 0,
        DrainTime = TimeSpan.Zero, // the router has drained by then
    };

    /// <summary>The router half.</summary>
    public RouterOptions ToRouter(IReadOnlyList<Uri> workers) => new()
    {
        Workers = workers,
        Bind = Bind,
        Port = Port,
        DrainTime = DrainTime,
        Audit = Audit,
        Access = Access,
    };

    /// <exception cref="OptionsException">Options cannot be used; lists all of them.</exception>
    public void ThrowIfInvalid()
    {
        List<string> errors = [.. ToWorker(1).Validate()];
        errors.AddRange(ToRouter([new Uri("http://127.0.0.1:1")]).Validate());
        if (Workers is < 1 or > MostWorkers)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"--workers: {Workers} is out of range; use 1 to {MostWorkers}."));
        }

        if (Context is 1)
        {
            errors.Add("--ctx: 1 is too small; a prompt and an answer take at least 2 tokens.");
        }

        if (Threads > MostThreads)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"--threads: {Threads} is more than {MostThreads}."));
        }

        if (MaxBatch > MostBatch)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"--max-batch: {MaxBatch} is more than {MostBatch}."));
        }

        OptionsException.ThrowIfAny(errors);
    }

    private const int MostThreads = 1024;
    private const int MostBatch = 1024;
    private const int MostWorkers = 64;
}
