using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <content>Other paths for sessions that lost a stage.</content>
internal sealed partial class WorkerDirectory
{
    /// <inheritdoc/>
    public ReservedPath? Find(RerouteRequest request)
    {
        var wanted = ToWanted(request);
        var members = Members;
        return Find(_map, members, request.Plan, wanted) ?? Find(_lastResort, members, request.Plan, wanted);
    }

    /// <inheritdoc/>
    public ReservedPath? FindFaster(RerouteRequest request, WorkerPath present, double factor)
    {
        var (map, members) = _map.At(request.Plan.Model, Members);
        var (wanted, options) = (ToWanted(request), _pathOptions with { KeepShare = factor - 1 });
        return Ledger.Reserve(map, wanted, loads =>
                PathPolicy.Choose(map, loads, wanted, options, present.Shards, random: null) is { } choice
                    && !double.IsNaN(choice.Cost.ComputeMs) && !choice.Shards.SequenceEqual(present.Shards)
                    && PathPolicy.IsOn(map, present.Shards)
                    ? choice
                    : null)
            is var (choice, reservation)
            ? new ReservedPath(ToPath(choice, members), reservation)
            : null;
    }

    private static PathRequest ToWanted(RerouteRequest request)
    {
        var kept = request.Kept.Select(static stage => (stage.PresentWorkerId, stage.Range)).ToHashSet();
        return new PathRequest
        {
            PromptTokens = request.Known,
            MaxTokens = request.Plan.Prompt.Length + request.Plan.Sampling.MaxTokens - request.Known,
            NumericClass = request.Class,
            CachedTokens = kept.Select(static stage => stage.PresentWorkerId).Distinct().ToDictionary(static worker => worker, _ => request.Known),
            Kept = kept,
            Avoided = request.Avoided,
        };
    }

    /// <inheritdoc/>
    public WorkerPathStage? FindStandby(RemoteSession session, SessionPlan plan, WorkerPath path, int place, int known, ImmutableHashSet<string> without)
    {
        var (map, members) = _map.At(plan.Model, Members);
        var loads = Ledger.Loads(map);
        var wanted = new PathRequest { PromptTokens = known, MaxTokens = plan.Prompt.Length + plan.Sampling.MaxTokens - known, NumericClass = path.Offer.NumericClass };
        var least = -1;
        for (var i = 0; i < map.Nodes.Length; i++)
        {
            if (map.Nodes[i] is var node && node.Offer.Range == path.Stages[place].Range && !without.Contains(node.WorkerId)
                && StageCost.HasRoom(node.Offer, loads[i], wanted)
                && (least < 0 || loads[i].Sessions < loads[least].Sessions))
            {
                least = i;
            }
        }

        return least < 0 ? null : ToStage(members[map.Nodes[least].Candidate], new PathHop(map.Nodes[least].Candidate, map.Nodes[least].Offer, map.Nodes[least].Key));
    }

    /// <inheritdoc/>
    public void OnRerouted(in RerouteReport report) => LogRerouted(
        report.Session.Id, report.Reason, report.Path, report.QuietFor.TotalMilliseconds, report.Decision.TotalMilliseconds, report.Kept);

    /// <inheritdoc/>
    public void OnWaiting(RemoteSession session, string what) => LogWaiting(session.Id, what);

    /// <inheritdoc/>
    public void OnResumed(RemoteSession session, TimeSpan gap, TimeSpan sinceLoss) =>
        LogResumed(session.Id, gap.TotalMilliseconds, sinceLoss.TotalMilliseconds);

    private ReservedPath? Find(LiveMap live, ImmutableArray<Member> members, SessionPlan plan, PathRequest wanted)
    {
        var (map, present) = live.At(plan.Model, members);
        if (_prefixes is { } prefixes)
        {
            wanted = wanted.RefilledFrom(map, prefixes.CachedTokens(map, new PromptPrefix(plan.Prompt, plan.CacheSalt)).Span);
        }

        return Ledger.Reserve(map, wanted, loads => PathPolicy.Choose(map, loads, wanted, _pathOptions, previous: default, random: null))
            is var (choice, reservation)
            ? new ReservedPath(ToPath(choice, present), reservation)
            : null;
    }

    [LoggerMessage(60, LogLevel.Warning, "{Session}: stage lost ({Reason}); rerouted to {Path} after {QuietMs:0.0} + {DecideMs:0.0} ms, {Kept} stages keep their state")]
    private partial void LogRerouted(SessionId session, string reason, WorkerPath path, double quietMs, double decideMs, int kept);

    [LoggerMessage(62, LogLevel.Warning, "{Session}: {What}")]
    private partial void LogWaiting(SessionId session, string what);

    [LoggerMessage(61, LogLevel.Information, "{Session}: goes on; {GapMs:0.0} ms between tokens, {SinceLossMs:0.0} ms since the loss was noticed")]
    private partial void LogResumed(SessionId session, double gapMs, double sinceLossMs);
}
