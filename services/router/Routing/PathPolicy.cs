using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>
/// Chooses the path of a request. Now a path is one worker that holds the whole model; longer paths change this file.
/// Pure.
/// </summary>
internal static class PathPolicy
{
    /// <summary>
    /// The candidate with the fewest sessions relative to its room; ties go to the first in order of address.
    /// </summary>
    /// <returns>The candidate's index, or null when none serves the whole model.</returns>
    public static int? Choose(string model, IReadOnlyList<PathCandidate> candidates)
    {
        int? best = null;
        for (var i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Offer is { IsWhole: true } offer
                && offer.Model == model
                && (best is not { } chosen || Compare(candidates[i], candidates[chosen]) < 0))
            {
                best = i;
            }
        }

        return best;
    }

    private static int Compare(PathCandidate a, PathCandidate b)
    {
        var byLoad = ((long)a.Sessions * b.Offer!.MaxSessions).CompareTo((long)b.Sessions * a.Offer!.MaxSessions);
        return byLoad != 0 ? byLoad : string.CompareOrdinal(a.Address, b.Address);
    }
}

/// <summary>A worker that a path may lead over.</summary>
/// <param name="Address">Where it listens.</param>
/// <param name="Offer">What it serves; null when it takes no new sessions.</param>
/// <param name="Sessions">This router's sessions on it.</param>
internal readonly record struct PathCandidate(string Address, WorkerOffer? Offer, int Sessions);
