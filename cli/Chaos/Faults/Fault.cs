using System.Globalization;

namespace Parallax.Cli.Chaos.Faults;

/// <summary>A fault to inject.</summary>
/// <param name="At">When, from the moment on when all clients read.</param>
/// <param name="Kind">What.</param>
/// <param name="Victim">Whom.</param>
internal sealed record Fault(TimeSpan At, FaultKind Kind, Victim Victim)
{
    /// <summary>The second process, where the fault lies between two.</summary>
    public Victim? Other { get; init; }

    /// <summary>How long it lasts; zero for what happens at once.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Part of the time that a slowed process stands still.</summary>
    public double StoppedShare { get; init; }

    /// <summary>How many chunks of bytes are corrupted, a bit in each.</summary>
    public int Chunks { get; init; }

    /// <summary>Which way a partition goes.</summary>
    public PartitionWay Way { get; init; }

    /// <summary>When a killed process is started again; null: when the run's options say.</summary>
    public TimeSpan? RestartAfter { get; init; }

    /// <summary>Whether a killed process stays away.</summary>
    public bool NeverRestarts { get; init; }

    /// <summary>A random number that chooses among those who play the victim's role.</summary>
    public ulong Draw { get; init; }

    /// <summary>The fault as a line of a script.</summary>
    public override string ToString()
    {
        var invariant = CultureInfo.InvariantCulture;
        var line = string.Create(invariant, $"at {At.TotalSeconds:0.###} {Names.Of(Kind)} {Victim}");
        line += Other is { } other ? $" {other}" : "";
        line += Duration > TimeSpan.Zero ? string.Create(invariant, $" {Duration.TotalSeconds:0.###}s") : "";
        return line + Kind switch
        {
            FaultKind.Slow => string.Create(invariant, $" {StoppedShare * 100:0}%"),
            FaultKind.Corrupt => string.Create(invariant, $" {Chunks}"),
            FaultKind.Partition => $" {Names.Of(Way)}",
            FaultKind.Kill when NeverRestarts => " restart never",
            FaultKind.Kill when RestartAfter is { } after => string.Create(invariant, $" restart {after.TotalSeconds:0.###}s"),
            _ => "",
        };
    }
}
