using Parallax.Audit.Log;
using Parallax.Bus;
using Parallax.EventStore;

namespace Parallax.Router;

/// <summary>How a router keeps the audit of its requests.</summary>
public sealed record RouterAudit
{
    /// <summary>
    /// The folder of a swarm member's local log, or the one under which a router of no swarm takes the first free; null: one under
    /// <see cref="DefaultRoot"/>.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>Whether prompts and answers are kept, or only keyed hashes of them.</summary>
    public bool KeepsContents { get; init; } = true;

    /// <summary>
    /// Whether the local log is forced to the disk with each commit (survives a loss of power, costs a few milliseconds per
    /// token) or only handed to the operating system (survives the router's crash).
    /// </summary>
    public bool IsForced { get; init; }

    /// <summary>Bytes that may wait for the event store; beyond, no request is admitted.</summary>
    public long MaxBytes { get; init; } = 1L << 30;

    /// <summary>The event store that events go to where no bus takes them, and in which they are looked up.</summary>
    public string Store { get; init; } = DefaultStore;

    /// <summary>Where audits are kept on this machine.</summary>
    public static string DefaultRoot
    {
        get
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            return Path.Combine(home.Length > 0 ? home : Path.GetTempPath(), "parallax", "audit");
        }
    }

    /// <summary>The event store when none is named.</summary>
    public static string DefaultStore => Path.Combine(DefaultRoot, "audit.db");

    /// <summary>Opens a store; the folder of the default one is created where there is none.</summary>
    /// <exception cref="EventStoreException">It cannot be used.</exception>
    public static IEventStore OpenStore(string where, TimeProvider clock, ILoggerFactory? loggers = null)
    {
        if (where == DefaultStore)
        {
            Directory.CreateDirectory(DefaultRoot); // nobody has named it, so nobody has made it
        }

        return EventStores.Open(where, clock, loggers);
    }

    internal static IEventStore OpenStore(string where, IServiceProvider host) =>
        OpenStore(where, host.GetRequiredService<TimeProvider>(), host.GetService<ILoggerFactory>());

    /// <summary>As <paramref name="audit"/>, with its log in a member's folder where it names none.</summary>
    /// <param name="audit">Null stays null.</param>
    /// <param name="member">The member's state folder.</param>
    public static RouterAudit? Within(RouterAudit? audit, string member) =>
        audit is { Folder: null } ? audit with { Folder = Path.Combine(member, "audit") } : audit;

    /// <summary>
    /// The bus that takes events to the scheduler, who stores them (<see cref="BusOptions.Parse"/>); null: they go straight into the
    /// store, or over a bus that the host has.
    /// </summary>
    public string? Bus { get; init; }

    internal AuditLogOptions ToLog(string folder) => new() { Folder = folder, KeepsContents = KeepsContents, IsForced = IsForced, MaxBytes = MaxBytes };
}
