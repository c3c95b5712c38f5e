using System.Net;
using System.Security.Cryptography;
using System.Text;
using Parallax.Bus;
using Parallax.EventStore.Terms;
using Parallax.Hosting.Status;

namespace Parallax.Scheduler;

/// <summary>How a scheduler is set up.</summary>
public sealed record SchedulerOptions
{
    /// <summary>The port when none is named.</summary>
    public const int DefaultPort = 7200;

    /// <summary>The id by which plans and other schedulers name this one: a peer id in a swarm; drawn when none is named.</summary>
    public string Id { get; init; } = $"s-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";

    /// <summary>
    /// The event store's file, shared by all schedulers of the swarm on this machine; null keeps the state in memory, and then
    /// a restart forgets it and no other scheduler can stand by.
    /// </summary>
    public string? StorePath { get; init; }

    /// <summary>
    /// The bus from which it takes audit events into its event store, and operators' commands (<see cref="BusOptions.Parse"/>); null:
    /// none.
    /// </summary>
    public string? Bus { get; init; }

    /// <summary>A JSON file of workers in place of a swarm; null: none.</summary>
    public string? WorkersPath { get; init; }

    /// <summary>The IP address to listen on; loopback by default.</summary>
    public string Bind { get; init; } = IPAddress.Loopback.ToString();

    /// <summary>The port to listen on; 0 takes any free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Where clients reach this scheduler, told by those that stand by; null: where it listens.</summary>
    public string? Advertise { get; init; }

    /// <summary>Where it answers machines over HTTP: health and metrics; null: nowhere.</summary>
    public StatusOptions? Status { get; init; }

    /// <summary>How long a published plan lives; it is published again every third of it.</summary>
    public TimeSpan PlanLease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one publication may take.</summary>
    public TimeSpan PublishTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The lease of the term; the same at all schedulers of a store.</summary>
    public TermLeaseOptions Term { get; init; } = new();

    /// <summary>Commands that may wait for their turn; more are refused.</summary>
    public int MaxWaitingCommands { get; init; } = 64;

    /// <summary>Everything that is wrong with these options; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        Require(
            !string.IsNullOrWhiteSpace(Id) && Encoding.UTF8.GetByteCount(Id) <= 128 && !Id.Any(char.IsControl),
            $"--id: '{Id}' is no id; use 1 to 128 bytes of text.");
        Require(StorePath is not "", "--store: name a file.");
        if (Bus is { } bus)
        {
            try
            {
                _ = BusOptions.Parse(bus);
            }
            catch (BusException problem)
            {
                errors.Add(problem.Message);
            }
        }

        Require(WorkersPath is not "", "--workers: name a file.");
        Require(IPAddress.TryParse(Bind, out _), $"--bind: '{Bind}' is not an IP address; use e.g. 127.0.0.1, or 0.0.0.0 for all interfaces.");
        Require(Port is >= 0 and <= 65535, $"--port: {Port} is not a port; use 0 to 65535 (0: any free one).");
        Require(
            Advertise is null || (Uri.TryCreate(Advertise, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"),
            $"--advertise: '{Advertise}' is not an address like http://10.0.0.2:7200.");
        errors.AddRange(Status?.Validate() ?? []);
        Require(PlanLease >= TimeSpan.FromSeconds(3), "PlanLease must be at least 3 s.");
        Require(PublishTimeout > TimeSpan.Zero, "PublishTimeout must be more than 0 s.");
        Require(Term.RenewPeriod > TimeSpan.Zero && Term.Lease >= 2 * Term.RenewPeriod, "The term's lease must be at least twice its renewal period.");
        Require(Term.PollPeriod > TimeSpan.Zero, "The term's poll period must be more than 0 s.");
        Require(MaxWaitingCommands >= 1, "MaxWaitingCommands must be at least 1.");
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
