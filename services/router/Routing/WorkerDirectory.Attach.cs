using Parallax.Contracts.Identifiers;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.Router.Routing;

/// <content>Sessions that another router, or this one before, has opened.</content>
internal sealed partial class WorkerDirectory
{
    /// <summary>
    /// Asks all workers that may be the head of a session (session protocol, rule 9) for what they hold of its answer; the
    /// one with the highest epoch counts.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="plan">What it generates: a worker tells nothing to who does not know.</param>
    /// <param name="numerics">The class that it is generated in.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when nobody holds any of it.</returns>
    public async Task<HeldAnswer?> AttachAsync(SessionId session, SessionPlan plan, NumericClass numerics, CancellationToken cancellationToken)
    {
        var request = RouterMapping.ToAttach(session, plan);
        var asked = Links
            .Where(link => link.Offer is { } offer
                && offer.Shards.Any(shard => shard.Model == plan.Model && shard.Range.Start == 0 && shard.NumericClass == numerics))
            .Select(link => link.AttachAsync(request, cancellationToken));
        return (await Task.WhenAll(asked)).MaxBy(static held => held?.Epoch ?? default);
    }

    /// <summary>The classes in which connected workers compute a model.</summary>
    public IReadOnlyList<NumericClass> Classes(string model) =>
    [
        .. Links.SelectMany(static link => link.Offer?.Shards ?? [])
            .Where(shard => shard.Model == model)
            .Select(static shard => shard.NumericClass)
            .Distinct(),
    ];
}
