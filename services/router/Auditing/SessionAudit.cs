using System.Collections.Immutable;
using System.Diagnostics;
using Parallax.Audit.Events;
using Parallax.Audit.Log;
using Parallax.Router.Observability;
using Parallax.Router.Sessions;
using Epoch = Parallax.Contracts.Identifiers.Epoch;

namespace Parallax.Router.Auditing;

/// <summary>Writes down what becomes of a session's path, in the audit and in the request's span. What it writes comes before the tokens that follow, so nobody waits for it.</summary>
internal sealed class SessionAudit(IAuditSegment segment, int choice, Activity? span, RouterInstruments instruments) : ISessionObserver
{
    public void OnOpened(RemoteSession session, WorkerPath path, Epoch epoch)
    {
        RouterTracing.Note(span, "route", choice, epoch, path.ToString());
        _ = segment.AppendAsync(new RouteChosen(choice, session.Id.ToString(), epoch.N, Stages(path), path.Reason.ToString()));
    }

    public void OnLost(Epoch epoch, string worker, int tokens, string problem)
    {
        RouterTracing.Note(span, "stage lost", choice, epoch, problem);
        _ = segment.AppendAsync(new StageLost(choice, epoch.N, worker, tokens, problem));
    }

    public void OnRerouted(Epoch epoch, WorkerPath path, int kept, TimeSpan seek)
    {
        instruments.OnRerouted();
        RouterTracing.Note(span, "rerouted", choice, epoch, path.ToString());
        _ = segment.AppendAsync(new Rerouted(choice, epoch.N, Stages(path), kept, Math.Round(seek.TotalMilliseconds, 3)));
    }

    private static ImmutableArray<StageRecord> Stages(WorkerPath path) =>
        [.. path.Stages.Select(static stage => new StageRecord(stage.PresentWorkerId, stage.Range.Start, stage.Range.End))];
}
