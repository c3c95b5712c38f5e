using System.Net;
using System.Security.Cryptography;
using Parallax.Bus;
using Parallax.Hosting.Stages;
using Parallax.Router.Access;

namespace Parallax.Router;

/// <summary>How a router is set up.</summary>
public sealed record RouterOptions
{
    /// <summary>The port when none is named.</summary>
    public const int DefaultPort = 8000;

    /// <summary>
    /// The workers' addresses, e.g. <c>http://127.0.0.1:7101</c>; other workers dial them there, too. Which layers each
    /// holds is asked of it. At least one, unless there is a map (<see cref="Stages"/>).
    /// </summary>
    public IReadOnlyList<Uri> Workers { get; init; } = [];

    /// <summary>
    /// A map of workers in place of <see cref="Workers"/>: it also says by which id each must be known, and where other
    /// workers dial it. Null by default.
    /// </summary>
    public StageMap? Stages { get; init; }

    /// <summary>
    /// Whether workers are also found on the swarm's live map, which the host provides
    /// (<see cref="Routing.ISwarmView"/>); then none need be named. False by default.
    /// </summary>
    public bool FollowsSwarm { get; init; }

    /// <summary>The IP address to listen on; loopback by default.</summary>
    public string Bind { get; init; } = IPAddress.Loopback.ToString();

    /// <summary>The port to listen on; 0 takes any free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Sessions on workers at once (a request with n choices counts n times).</summary>
    public int MaxInFlight { get; init; } = 128;

    /// <summary>Requests that wait for their turn at most; more are answered with 429. 0 lets none wait.</summary>
    public int MaxQueued { get; init; } = 256;

    /// <summary>How long a request may wait for its turn before it is answered with 429.</summary>
    public TimeSpan QueueTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a request may take from its turn on.</summary>
    public TimeSpan RequestTime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Bytes of a request's body at most.</summary>
    public long MaxBodyBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>How long running requests may go on when the router is asked to stop.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The audit of requests, whose local log is the protocol's too (session protocol, rule 8); null keeps none, and then a crash
    /// of the router leaves no trace of what clients have seen.
    /// </summary>
    public RouterAudit? Audit { get; init; }

    /// <summary>Who may use it, and over which connections; by default no key is needed on loopback, and one beyond it.</summary>
    public RouterAccess Access { get; init; } = new();

    /// <summary>Whether a request goes on over other workers when one of its workers is lost; off, it ends with an error.</summary>
    public bool Failover { get; init; } = true;

    /// <summary>
    /// Workers that stand by for each stage of a request's path and compute along, so that they take over at once; 0 to 4. They
    /// cost their share of computing: for requests that must not pause.
    /// </summary>
    public int Standbys { get; init; }

    /// <summary>By what paths are chosen; by what they cost by default.</summary>
    public Routing.PathRule Paths { get; init; } = Routing.PathRule.Cheapest;

    /// <summary>Identifies this router to workers; random by default.</summary>
    public Guid RouterId { get; init; } = new(RandomNumberGenerator.GetBytes(16));

    /// <summary>Whether the API listens on this machine only.</summary>
    internal bool IsLoopback => IPAddress.TryParse(Bind, out var address) && IPAddress.IsLoopback(address);

    /// <summary>Whether requests need an API key.</summary>
    internal bool NeedsKeys => Access.NeedsKeys ?? !IsLoopback;

    /// <summary>The event store of the API keys.</summary>
    internal string KeyStore => Audit?.Store ?? Access.KeyStore ?? RouterAudit.DefaultStore;

    /// <summary>Everything that is wrong with these options; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (Stages is null && Workers is not { Count: > 0 } && !FollowsSwarm)
        {
            errors.Add("--worker: name at least one worker, e.g. http://127.0.0.1:7101, or a map of them with --stages.");
        }
        else if (Stages is not null && Workers is { Count: > 0 })
        {
            errors.Add("--worker, --stages: use one of the two; a map names all workers.");
        }
        else
        {
            errors.AddRange(Workers
                .Where(static w => !w.IsAbsoluteUri || w.Scheme is not ("http" or "https") || w.AbsolutePath != "/")
                .Select(static w => $"--worker: '{w}' is not an address like http://127.0.0.1:7101."));
            errors.AddRange(Workers.GroupBy(static w => w).Where(static g => g.Count() > 1).Select(static g => $"--worker: '{g.Key}' is named twice."));
        }

        if (!IPAddress.TryParse(Bind, out _))
        {
            errors.Add($"--bind: '{Bind}' is not an IP address; use e.g. 127.0.0.1, or 0.0.0.0 for all interfaces.");
        }

        Require(Port is >= 0 and <= 65535, $"--port: {Port} is not a port; use 0 to 65535 (0: any free one).");
        Require(Standbys is >= 0 and <= 4, $"--standby: {Standbys} workers for each stage make no sense; use 0 to 4.");
        Require(MaxInFlight >= 1, $"--max-in-flight: {MaxInFlight} is too small; use at least 1.");
        Require(MaxQueued >= 0, $"--max-queued: {MaxQueued} must not be negative.");
        Require(QueueTime > TimeSpan.Zero, "--queue-time must be more than 0 s.");
        Require(RequestTime > TimeSpan.Zero, "--request-time must be more than 0 s.");
        Require(MaxBodyBytes >= 1024, $"--max-body: {MaxBodyBytes} bytes is too small; use at least 1024.");
        Require(DrainTime >= TimeSpan.Zero && DrainTime <= TimeSpan.FromMinutes(10), "--drain: use 0 to 600 s.");
        Require(Audit?.Folder is not "", "--audit-folder: name a folder.");
        Require(Audit?.Store is not "", "--audit-store: name a file or a database.");
        errors.AddRange(Access.Validate(this));
        if (Audit?.Bus is { } bus)
        {
            try
            {
                _ = BusOptions.Parse(bus);
            }
            catch (BusException problem)
            {
                errors.Add($"--bus: {problem.Message}");
            }
        }

        Require(Audit is null or { MaxBytes: >= 1 << 20 }, "RouterAudit.MaxBytes must be at least 1 MiB.");
        return errors;

        void Require(bool condition, string error)
        {
            if (!condition)
            {
                errors.Add(error);
            }
        }
    }
}
