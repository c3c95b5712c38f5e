using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Traffic;

namespace Parallax.Cli.Chaos;

/// <summary>A run: a swarm, traffic, faults, and when it ends.</summary>
/// <param name="Swarm">The processes.</param>
/// <param name="Traffic">The clients; its number of requests ends the run.</param>
/// <param name="Faults">Faults in order of time; may be endless.</param>
internal sealed record ChaosPlan(SwarmPlan Swarm, TrafficSettings Traffic, IEnumerable<Fault> Faults)
{
    /// <summary>The swarm that gives the answers to compare with; null: this one, before the first fault.</summary>
    public SwarmPlan? Reference { get; init; }

    /// <summary>Different questions.</summary>
    public int Questions { get; init; } = 8;

    /// <summary>Tokens of each prompt's text, about.</summary>
    public int PromptTokens { get; init; } = 24;

    /// <summary>Tokens of each answer.</summary>
    public int AnswerTokens { get; init; } = 128;

    /// <summary>The same seed, the same questions.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>When a killed process is started again; null: not.</summary>
    public TimeSpan? RestartAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long traffic runs; null without that limit.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Faults to inject, then the traffic ends; null without that limit.</summary>
    public int? MostFaults { get; init; }
}
