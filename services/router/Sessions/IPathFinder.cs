using System.Collections.Immutable;
using Parallax.Router.Routing;

namespace Parallax.Router.Sessions;

/// <summary>Finds another path for a session that lost a stage.</summary>
internal interface IPathFinder
{
    /// <summary>A path with a place on it; null when there is none now.</summary>
    ReservedPath? Find(RerouteRequest request);

    /// <summary>
    /// A path with a place on it that costs much less than the present one, by measured speeds; null when there is none, or
    /// nothing is known of speeds.
    /// </summary>
    /// <param name="request">The session, all of whose stages are kept.</param>
    /// <param name="present">Its path.</param>
    /// <param name="factor">How many times less.</param>
    ReservedPath? FindFaster(RerouteRequest request, WorkerPath present, double factor);

    /// <summary>A worker that serves the layers of a stage and could stand by for it; null when there is none with room.</summary>
    WorkerPathStage? FindStandby(RemoteSession session, SessionPlan plan, WorkerPath path, int place, int known, ImmutableHashSet<string> without);

    /// <summary>For the log: what became of a lost stage.</summary>
    void OnRerouted(in RerouteReport report);

    /// <summary>For the log: there is no other path for a session now, which waits for one.</summary>
    void OnWaiting(RemoteSession session, string what);

    /// <summary>For the log: the first token over the new path came.</summary>
    /// <param name="session">The session.</param>
    /// <param name="gap">Since the last token over the old path.</param>
    /// <param name="sinceLoss">Since the loss was noticed.</param>
    void OnResumed(RemoteSession session, TimeSpan gap, TimeSpan sinceLoss);
}

/// <summary>What a session that lost a stage needs.</summary>
/// <param name="Session">The session.</param>
/// <param name="Plan">What it generates.</param>
/// <param name="Class">The class that the path must be of.</param>
/// <param name="Known">Tokens of prompt and answer (N).</param>
/// <param name="Kept">Workers, and their layers, that hold its state: every other one has to be refilled.</param>
/// <param name="Avoided">Workers that are of no use to it now.</param>
internal sealed record RerouteRequest(
    RemoteSession Session,
    SessionPlan Plan,
    Runtime.Execution.NumericClass Class,
    int Known,
    ImmutableArray<WorkerPathStage> Kept,
    ImmutableHashSet<string> Avoided);

/// <summary>A change of path, for people and figures.</summary>
/// <param name="Session">The session.</param>
/// <param name="Reason">What was lost, and how that was noticed.</param>
/// <param name="Path">Where it goes on.</param>
/// <param name="QuietFor">Between the last sign of life of the session and the notice of the loss: at most so long it took to detect.</param>
/// <param name="Decision">Between the notice and the new path.</param>
/// <param name="Kept">Stages that keep their state.</param>
internal readonly record struct RerouteReport(
    RemoteSession Session, string Reason, WorkerPath Path, TimeSpan QuietFor, TimeSpan Decision, int Kept);
