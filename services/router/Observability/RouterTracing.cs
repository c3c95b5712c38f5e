using System.Diagnostics;
using Parallax.Router.Sessions;
using Epoch = Parallax.Contracts.Identifiers.Epoch;

namespace Parallax.Router.Observability;

/// <summary>The router's spans: one for each request, with what becomes of its paths as events; stages' spans are its children.</summary>
internal static class RouterTracing
{
    private static readonly ActivitySource Source = new("Parallax.Router");

    /// <summary>A request's span; null where nobody listens.</summary>
    public static Activity? Begin(string request, SessionPlan plan, int choices) => Source.StartActivity("chat", ActivityKind.Server)?
        .SetTag("parallax.request", request)
        .SetTag("gen_ai.operation.name", "chat")
        .SetTag("gen_ai.request.model", plan.Model)
        .SetTag("gen_ai.usage.input_tokens", plan.Prompt.Length)
        .SetTag("gen_ai.request.choice.count", choices);

    /// <summary>Says how it ended.</summary>
    public static void End(Activity? span, string outcome, int tokens)
    {
        span?.SetTag("parallax.outcome", outcome).SetTag("gen_ai.usage.output_tokens", tokens);
        span?.SetStatus(outcome == "failed" ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
    }

    /// <summary>Notes what becomes of a path.</summary>
    public static void Note(Activity? span, string what, int choice, Epoch epoch, string detail) => span?.AddEvent(new ActivityEvent(
        what,
        tags: new ActivityTagsCollection
        {
            ["parallax.choice"] = choice,
            ["parallax.epoch"] = epoch.N,
            ["parallax.detail"] = detail,
        }));
}
