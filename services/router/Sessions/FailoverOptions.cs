namespace Parallax.Router.Sessions;

/// <summary>When a session is moved away from a worker.</summary>
internal sealed record FailoverOptions
{
    /// <summary>Whether sessions go on over other workers at all; off, a lost stage ends them with an error (for comparisons).</summary>
    public bool IsOn { get; init; } = true;

    /// <summary>Workers that stand by for each stage of a path, as far as there are any that serve the same layers.</summary>
    public int Standbys { get; init; }

    /// <summary>
    /// How long a stage's report of a link that is down waits for the link to come back, or for the control stream to tell
    /// more: after that, another path is looked for.
    /// </summary>
    public TimeSpan LinkGrace { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>As <see cref="LinkGrace"/>, while nothing has come over the path yet: its links may have to be dialled first.</summary>
    public TimeSpan NewLinkGrace { get; init; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>How long all stages of a new path may take to acknowledge it. A step that is being computed is finished first.</summary>
    public TimeSpan AcknowledgeTime { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a worker is avoided that did not answer, or that a neighbour could not reach.</summary>
    public TimeSpan AvoidFor { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a worker is avoided that reported itself broken.</summary>
    public TimeSpan AvoidBrokenFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A running session looks this often whether its path has become slow.</summary>
    public TimeSpan CompareEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>It moves when another path costs so many times less, the refill of what moves included.</summary>
    public double SlowFactor { get; init; } = 2.5;

    /// <summary>While there is no path, it is looked for this often.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromMilliseconds(25);
}
