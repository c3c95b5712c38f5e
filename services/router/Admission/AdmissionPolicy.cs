namespace Parallax.Router.Admission;

/// <summary>What happens to a request that has just come.</summary>
internal enum AdmissionDecision
{
    /// <summary>Its turn is now.</summary>
    Admit,

    /// <summary>It waits.</summary>
    Queue,

    /// <summary>The queue is full.</summary>
    Refuse,
}

/// <summary>Decides on admission. Pure.</summary>
internal static class AdmissionPolicy
{
    private const int LongestRetrySeconds = 60;

    /// <param name="load">What runs and waits now.</param>
    /// <param name="sessions">Sessions that the request needs; at most <paramref name="maxInFlight"/>.</param>
    /// <param name="maxInFlight">Sessions at once.</param>
    /// <param name="maxQueued">Requests that may wait.</param>
    public static AdmissionDecision Decide(AdmissionLoad load, int sessions, int maxInFlight, int maxQueued)
    {
        // Nobody overtakes: while anything waits, what comes new waits behind it.
        if (load.QueuedRequests == 0 && load.InFlight + sessions <= maxInFlight)
        {
            return AdmissionDecision.Admit;
        }

        return load.QueuedRequests < maxQueued ? AdmissionDecision.Queue : AdmissionDecision.Refuse;
    }

    /// <summary>
    /// When a refused client should try again: the time in which, at the observed rate, everything before it would be
    /// through; between 1 s and 60 s.
    /// </summary>
    /// <param name="load">What runs and waits now.</param>
    /// <param name="sessions">Sessions that the refused request needs.</param>
    /// <param name="maxInFlight">Sessions at once.</param>
    /// <param name="sessionsPerSecond">Observed rate of ended sessions; null when too few have ended to tell.</param>
    public static TimeSpan RetryAfter(AdmissionLoad load, int sessions, int maxInFlight, double? sessionsPerSecond)
    {
        if (sessionsPerSecond is not { } rate)
        {
            return TimeSpan.FromSeconds(1);
        }

        var before = Math.Max(1, load.InFlight + load.QueuedSessions + sessions - maxInFlight);
        return TimeSpan.FromSeconds(rate <= 0 ? LongestRetrySeconds : Math.Clamp(Math.Ceiling(before / rate), 1, LongestRetrySeconds));
    }
}

/// <summary>What runs and waits.</summary>
/// <param name="InFlight">Sessions that run.</param>
/// <param name="QueuedRequests">Requests that wait.</param>
/// <param name="QueuedSessions">Sessions that these need.</param>
internal readonly record struct AdmissionLoad(int InFlight, int QueuedRequests, int QueuedSessions);
