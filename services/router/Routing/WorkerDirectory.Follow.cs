using System.Collections.Immutable;
using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <content>How the links follow the live map. One loop changes the members; everybody else reads them.</content>
internal sealed partial class WorkerDirectory
{
    /// <summary>Links to workers of the map at most.</summary>
    private const int MaxLinks = 2048;

    /// <summary>Records that are looked at at most.</summary>
    private const int MaxWorkers = 16 * 1024;

    /// <summary>How often it is looked at whether leases have run out and sessions of retired links have ended.</summary>
    private static readonly TimeSpan TidyEvery = TimeSpan.FromSeconds(1);

    /// <summary>A change is followed at once, and those that come within so long after it together.</summary>
    private static readonly TimeSpan TogetherWithin = TimeSpan.FromMilliseconds(20);

    private readonly ISwarmView? _swarm;
    private readonly WorkerLinkOptions _linkOptions;
    private readonly ILoggerFactory _loggers;
    private readonly Dictionary<WorkerLink, (CancellationTokenSource Stop, Task Loop)> _runs = [];
    private Dictionary<string, (SwarmWorker Source, WorkerReport? Report)> _reports = new(StringComparer.Ordinal);

    private async Task FollowAsync(ISwarmView swarm, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var changed = swarm.Changed;
            try
            {
                await FollowAsync(swarm.Current);
            }
            catch (Exception e)
            {
                LogFollowFailed(e); // a bug; one map that cannot be followed must not be the last
            }

            await Task.Delay(TogetherWithin, _clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await Task.WhenAny(changed, Task.Delay(TidyEvery, _clock, waiting.Token));
            await waiting.CancelAsync(); // the timer, where the map has changed first
        }
    }

    /// <summary>Brings reports, links and members in line with a map.</summary>
    private async Task FollowAsync(SwarmMapSnapshot snapshot)
    {
        var now = _clock.GetTimestamp();
        var reports = Take(snapshot);
        var alive = reports.Where(report => now < report.Value.ExpiresAt).ToDictionary(StringComparer.Ordinal);
        var named = Members.Where(static member => member.SwarmId is null).ToList();
        var members = Members.Where(static member => member.SwarmId is not null)
            .ToDictionary(static member => member.SwarmId!, StringComparer.Ordinal);

        // Workers that options name have their links; the map adds what it knows of them.
        var namedAddresses = named.Select(static member => member.Link.Address).ToHashSet();
        var namedIds = named.Select(static member => member.Link.Offer?.WorkerId).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var followed = alive.Where(pair => !namedIds.Contains(pair.Key) && !pair.Value.Addresses.Any(namedAddresses.Contains))
            .ToDictionary(StringComparer.Ordinal);
        foreach (var change in LinkPlan.Decide([.. members.Values.Select(View)], followed, MaxLinks))
        {
            try
            {
                await ApplyAsync(change, members);
            }
            catch (Exception e)
            {
                LogChangeFailed(change.WorkerId, e); // one worker that cannot be followed must not keep the others from it
            }
        }

        _members = new ImmutableArrayBox(
        [
            .. named.Select(member => member with { Report = alive.GetValueOrDefault(member.Link.Offer?.WorkerId ?? "") }),
            .. members.Values.OrderBy(static member => member.SwarmId, StringComparer.Ordinal)
                .Select(member => member with { Report = alive.GetValueOrDefault(member.SwarmId!) }),
        ]);
    }

    /// <summary>Reads the records that are new, and takes note of their loads.</summary>
    private Dictionary<string, WorkerReport> Take(SwarmMapSnapshot snapshot)
    {
        var reports = new Dictionary<string, (SwarmWorker Source, WorkerReport? Report)>(StringComparer.Ordinal);
        foreach (var worker in snapshot.Workers.Take(MaxWorkers))
        {
            var id = worker.Record.WorkerId;
            if (_reports.TryGetValue(id, out var known) && ReferenceEquals(known.Source.Record, worker.Record))
            {
                reports[id] = (worker, known.Report is { } report && worker != known.Source
                    ? report with { ExpiresAt = worker.ExpiresAt, HeardAt = worker.HeardAt } // the same words, renewed
                    : known.Report);
            }
            else if (SwarmMapping.ToReport(worker) is { } fresh)
            {
                reports[id] = (worker, fresh);
                Ledger.Observe(fresh);
            }
            else
            {
                reports[id] = (worker, null);
                LogSenseless(id);
            }
        }

        foreach (var id in _reports.Keys.Where(id => !reports.ContainsKey(id)))
        {
            Ledger.Forget(id);
        }

        _reports = reports;
        return reports.Where(static pair => pair.Value.Report is not null)
            .ToDictionary(static pair => pair.Key, static pair => pair.Value.Report!, StringComparer.Ordinal);
    }

    /// <summary>A place that is reserved on a worker keeps its link, too: the session will be there in a moment.</summary>
    private LinkView View(Member member) => new(
        member.SwarmId!,
        member.Link.Addresses,
        Math.Max(member.DialledIncarnation, member.Link.Offer?.Incarnation ?? 0),
        member.IsRetired,
        Math.Max(member.Link.SessionCount, Ledger.Own(member.SwarmId!)));

    private async Task ApplyAsync(LinkChange change, Dictionary<string, Member> members)
    {
        switch (change)
        {
            case LinkChange.Open(var id, var report):
                var link = NewLink(report.Addresses, id);
                members.Add(id, new Member(link, id) { DialledIncarnation = report.Incarnation });
                Run(link);
                break;
            case LinkChange.Redial(var id, var report):
                members[id].Link.Redial(report.Addresses);
                members[id] = members[id] with { DialledIncarnation = report.Incarnation, IsRetired = false };
                break;
            case LinkChange.Retire(var id):
                members[id] = members[id] with { IsRetired = true };
                LogRetired(id, members[id].Link.Address, members[id].Link.SessionCount);
                break;
            case LinkChange.Revive(var id):
                members[id] = members[id] with { IsRetired = false };
                break;
            case LinkChange.Close(var id):
                members.Remove(id, out var gone);
                await CloseAsync(gone!);
                break;
        }
    }

    private async Task CloseAsync(Member gone)
    {
        if (_runs.Remove(gone.Link, out var run))
        {
            await run.Stop.CancelAsync();
            await run.Loop;
            run.Stop.Dispose();
        }

        gone.Link.Dispose();
        LogClosed(gone.SwarmId!, gone.Link.Address);
    }

    private WorkerLink NewLink(ImmutableArray<Uri> addresses, string? id) =>
        new(addresses, id, _router, _linkOptions, _clock, _loggers.CreateLogger<WorkerLink>(), _credentials);

    private void Run(WorkerLink link)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var token = stop.Token;
        _runs.Add(link, (stop, Task.Run(() => link.RunAsync(token), CancellationToken.None)));
    }

    private async Task StopRunsAsync()
    {
        await Task.WhenAll(_runs.Values.Select(static run => run.Loop));
        foreach (var (stop, _) in _runs.Values)
        {
            stop.Dispose();
        }

        _runs.Clear();
    }

    [LoggerMessage(40, LogLevel.Information, "Worker {Worker} at {Address} has left the swarm; its {Sessions} sessions go on")]
    private partial void LogRetired(string worker, Uri address, int sessions);

    [LoggerMessage(41, LogLevel.Information, "Worker {Worker} at {Address} has left the swarm")]
    private partial void LogClosed(string worker, Uri address);

    [LoggerMessage(44, LogLevel.Error, "Worker {Worker} cannot be followed")]
    private partial void LogChangeFailed(string worker, Exception exception);

    [LoggerMessage(43, LogLevel.Error, "The live map could not be followed")]
    private partial void LogFollowFailed(Exception exception);

    [LoggerMessage(42, LogLevel.Warning, "The record of worker {Worker} was ignored: its id or all of its addresses make no sense")]
    private partial void LogSenseless(string worker);
}
