using System.Diagnostics;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Runtime.Execution;
using Epoch = Parallax.Contracts.Identifiers.Epoch;

namespace Parallax.Worker.Gpu.Observability;

/// <summary>A worker's spans: one for each session that it takes part in, from its Open to its end, a child of the request's.</summary>
internal static class StageTracing
{
    private static readonly ActivitySource Source = new("Parallax.Worker");

    /// <summary>Begins a stage's span; null where nobody listens or the router has none.</summary>
    public static Activity? Begin(Open open, SessionId session)
    {
        if (!Source.HasListeners() || !ActivityContext.TryParse(open.TraceParent, null, isRemote: true, out var parent))
        {
            return null;
        }

        // The stream that brings the Open brings many: its own span, if it has one, stays the current one.
        var around = Activity.Current;
        var span = Source.StartActivity("stage", ActivityKind.Server, parent);
        Activity.Current = around;
        if (open.Path.Count > open.Stage)
        {
            span?.SetTag("parallax.layers", $"{open.Path[open.Stage].LayerStart}-{open.Path[open.Stage].LayerEnd}").SetTag("parallax.worker", open.Path[open.Stage].Worker);
        }

        return span?.SetTag("parallax.session", session.ToString()).SetTag("parallax.stage", open.Stage).SetTag("parallax.standby", open.Standby);
    }

    /// <summary>The session goes on at a higher epoch.</summary>
    public static void Fence(Activity? span, Epoch epoch) =>
        span?.AddEvent(new ActivityEvent("fenced", tags: new ActivityTagsCollection { ["parallax.epoch"] = epoch.N }));

    /// <summary>Ends it.</summary>
    public static void End(Activity? span, in SessionEnd end)
    {
        if (span is not null)
        {
            span.SetTag("parallax.reason", end.Reason.ToString());
            span.SetStatus(end.Reason == Runtime.Execution.FinishReason.Error ? ActivityStatusCode.Error : ActivityStatusCode.Unset, end.Error);
            span.Stop();
        }
    }
}
