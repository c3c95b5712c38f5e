using System.Collections.Immutable;

namespace Parallax.Router.Routing;

/// <summary>
/// What has to change about the links so that they follow the map: wanted against present, with nothing to do when the
/// two agree. Pure.
/// </summary>
internal static class LinkPlan
{
    /// <summary>The changes, ordered by worker id.</summary>
    /// <param name="links">The links that follow the map, each worker once.</param>
    /// <param name="map">Workers whose lease runs, by id.</param>
    /// <param name="maxLinks">Links at most; workers beyond have to wait until others leave.</param>
    public static IReadOnlyList<LinkChange> Decide(
        IReadOnlyCollection<LinkView> links, IReadOnlyDictionary<string, WorkerReport> map, int maxLinks)
    {
        var changes = new List<LinkChange>();
        var room = maxLinks - links.Count;
        foreach (var link in links)
        {
            if (map.TryGetValue(link.WorkerId, out var report))
            {
                if (!report.Addresses.AsSpan().SequenceEqual(link.Addresses.AsSpan()) || report.Incarnation > link.Incarnation)
                {
                    changes.Add(new LinkChange.Redial(link.WorkerId, report));
                }
                else if (link.IsRetired)
                {
                    changes.Add(new LinkChange.Revive(link.WorkerId));
                }
            }
            else if (!link.IsRetired)
            {
                changes.Add(new LinkChange.Retire(link.WorkerId)); // first, so that no new session can come
            }
            else if (link.Sessions == 0)
            {
                changes.Add(new LinkChange.Close(link.WorkerId));
                room++;
            }
        }

        var linked = links.Select(static link => link.WorkerId).ToHashSet(StringComparer.Ordinal);
        changes.AddRange(map.Values
            .Where(report => !linked.Contains(report.WorkerId))
            .OrderBy(static report => report.WorkerId, StringComparer.Ordinal)
            .Take(Math.Max(0, room))
            .Select(static report => new LinkChange.Open(report.WorkerId, report)));
        return [.. changes.OrderBy(static change => change.WorkerId, StringComparer.Ordinal)];
    }
}

/// <summary>A link that follows the map.</summary>
/// <param name="WorkerId">Whose.</param>
/// <param name="Addresses">Where the worker is dialled.</param>
/// <param name="Incarnation">The newest run of the worker that it was dialled for or is connected to.</param>
/// <param name="IsRetired">Its worker has left the map; it stays for its sessions.</param>
/// <param name="Sessions">This router's sessions on it.</param>
internal readonly record struct LinkView(string WorkerId, ImmutableArray<Uri> Addresses, long Incarnation, bool IsRetired, int Sessions);

/// <summary>A change to a link.</summary>
/// <param name="WorkerId">Whose.</param>
internal abstract record LinkChange(string WorkerId)
{
    /// <summary>The worker is new.</summary>
    public sealed record Open(string WorkerId, WorkerReport Report) : LinkChange(WorkerId);

    /// <summary>It has moved, or runs anew.</summary>
    public sealed record Redial(string WorkerId, WorkerReport Report) : LinkChange(WorkerId);

    /// <summary>It has left the map: it takes no new sessions, those that run go on.</summary>
    public sealed record Retire(string WorkerId) : LinkChange(WorkerId);

    /// <summary>It is back as it was.</summary>
    public sealed record Revive(string WorkerId) : LinkChange(WorkerId);

    /// <summary>It has left the map, and its last session has ended.</summary>
    public sealed record Close(string WorkerId) : LinkChange(WorkerId);
}
