using Parallax.Swarm.Map;
using Parallax.Swarm.Members;

namespace Parallax.Router.Routing;

/// <summary>The live map of the swarm of which the router's process is a member.</summary>
public sealed class MemberView(SwarmMember member, TimeProvider clock) : ISwarmView
{
    private volatile Seen _seen = new(SwarmMap.Empty, SwarmMapSnapshot.Empty);

    /// <inheritdoc/>
    public SwarmMapSnapshot Current
    {
        get
        {
            var (map, seen) = (member.Map, _seen);
            if (!ReferenceEquals(map, seen.Map))
            {
                _seen = seen = new Seen(map, new SwarmMapSnapshot([.. map.Workers.Values.Where(static worker => !worker.IsLost).Select(ToWorker)]));
            }

            return seen.Snapshot;
        }
    }

    /// <inheritdoc/>
    public Task Changed => member.Changed;

    private SwarmWorker ToWorker(MapWorker worker) => new(worker.Record, At(worker.HeardAt), At(worker.ExpiresAt));

    /// <summary>A time of the map as a timestamp of the process's clock.</summary>
    private long At(TimeSpan time) => clock.GetTimestamp() + (long)((time - member.Now).TotalSeconds * clock.TimestampFrequency);

    private sealed record Seen(SwarmMap Map, SwarmMapSnapshot Snapshot);
}
