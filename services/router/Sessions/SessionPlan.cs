using System.Collections.Immutable;
using Parallax.Runtime.Sampling;

namespace Parallax.Router.Sessions;

/// <summary>What a session is to generate.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Prompt">The prompt's token ids.</param>
/// <param name="Sampling">How to draw tokens.</param>
/// <param name="Client">Whose it is, for fairness.</param>
/// <param name="CacheSalt">Separates prefix caches.</param>
/// <param name="Deadline">When it must have ended, as a timestamp of the router's clock.</param>
internal sealed record SessionPlan(
    string Model, ImmutableArray<int> Prompt, SamplingParameters Sampling, string Client, string CacheSalt, long Deadline)
{
    /// <summary>Ids of the answer that are known already: the session goes on from there.</summary>
    public ImmutableArray<int> Answer { get; init; } = [];

    /// <summary>The request's span, as W3C's traceparent; empty for none.</summary>
    public string TraceParent { get; init; } = "";

    /// <summary>Orders sessions by age, equally at all stages; drawn when it is opened.</summary>
    public long Arrival { get; init; }
}
