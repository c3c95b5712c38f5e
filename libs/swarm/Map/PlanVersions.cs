using Parallax.Contracts.V1;

namespace Parallax.Swarm.Map;

/// <summary>Plans are ordered by term, then by version.</summary>
public static class PlanVersions
{
    /// <summary>Whether <paramref name="plan"/> is newer than what is known; absent is older than everything.</summary>
    public static bool IsNewer(PlanVersion? plan, PlanVersion? known) =>
        plan is not null && (known is null || (plan.Term, plan.Version).CompareTo((known.Term, known.Version)) > 0);

    /// <summary>The version of a plan; null of none.</summary>
    public static PlanVersion? VersionOf(PlanRecord? plan) => plan is null ? null : new PlanVersion { Term = plan.Term, Version = plan.Version };
}
