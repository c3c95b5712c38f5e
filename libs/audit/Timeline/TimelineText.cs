using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Audit.Index;
using Parallax.EventStore;

namespace Parallax.Audit.Timeline;

/// <summary>A request's events as a tree for people: its segments, and what happened in each, with the time since it was taken up. Pure.</summary>
public static class TimelineText
{
    /// <summary>Lines, each ended.</summary>
    /// <param name="row">The request.</param>
    /// <param name="events">Its events, segment by segment.</param>
    /// <param name="text">The text that tokens of a choice go on with; null shows none.</param>
    public static string Format(RequestRow row, IEnumerable<StoredEvent> events, Func<int, ImmutableArray<int>, string>? text)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(events);
        var tree = new StringBuilder();
        tree.Append(CultureInfo.InvariantCulture, $"request {Printable(row.Id)}, {row.Status.Word()}, {row.OpenedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC\n");
        var segments = events.GroupBy(static one => one.Stream, StringComparer.Ordinal).ToArray();
        for (var i = 0; i < segments.Length; i++)
        {
            AppendSegment(tree, segments[i].ToArray(), i + 1, isLast: i == segments.Length - 1, text);
        }

        return tree.ToString();
    }

    /// <summary>A text in one line, without anything that a terminal would obey.</summary>
    public static string Printable(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Any(static c => char.IsControl(c)) ? string.Concat(text.Select(static c => c switch { '\n' => "\\n", '\t' => "\\t", _ when char.IsControl(c) => "?", _ => c.ToString() })) : text;
    }

    private static void AppendSegment(StringBuilder tree, StoredEvent[] events, int number, bool isLast, Func<int, ImmutableArray<int>, string>? text)
    {
        var (branch, indent) = isLast ? ("└─ ", "   ") : ("├─ ", "│  ");
        DateTimeOffset? began = null;
        for (var i = 0; i < events.Length; i++)
        {
            var leaf = i == events.Length - 1 ? "└─ " : "├─ ";
            AuditRecord record;
            try
            {
                record = AuditCodec.Decode(events[i].Payload);
            }
            catch (AuditFormatException problem)
            {
                tree.Append(i == 0 ? branch : indent + leaf).Append(CultureInfo.InvariantCulture, $"event {events[i].Version} cannot be read: {Printable(problem.Message)}\n");
                continue;
            }

            began ??= record.At;
            if (record.Event is SegmentOpened opened && i == 0)
            {
                tree.Append(CultureInfo.InvariantCulture, $"{branch}segment {number}: {Opened(opened)}\n");
                continue;
            }

            var after = (record.At - began.Value).TotalMilliseconds;
            tree.Append(indent).Append(leaf).Append(CultureInfo.InvariantCulture, $"{after,9:0.0} ms  {Printable(Describe(record.Event, text))}\n");
        }
    }

    private static string Opened(SegmentOpened opened)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"router {Short(opened.Writer)}, term {opened.Term}");
        if (opened.ResumedFrom is { } from)
        {
            line += $", resumed behind event {from}";
        }

        return Printable(opened.Previous switch
        {
            null => line,
            { Stream: null } => $"{line}; what the router before it had written was unknown",
            { } previous => string.Create(CultureInfo.InvariantCulture, $"{line}; goes on from event {previous.Length} of {previous.Stream}"),
        });
    }

    private static string Describe(AuditEvent one, Func<int, ImmutableArray<int>, string>? text) => one switch
    {
        RequestAccepted accepted => Accepted(accepted),
        RouteChosen chosen => string.Create(CultureInfo.InvariantCulture, $"choice {chosen.Choice}: path {Path(chosen.Stages)}, epoch {chosen.Epoch} ({chosen.Reason})"),
        StageLost lost => string.Create(CultureInfo.InvariantCulture, $"choice {lost.Choice}: {(lost.Worker.Length == 0 ? "the path" : lost.Worker)} lost after {lost.Tokens} tokens: {lost.Problem}"),
        Rerouted rerouted => string.Create(
            CultureInfo.InvariantCulture, $"choice {rerouted.Choice}: goes on over {Path(rerouted.Stages)}, epoch {rerouted.Epoch}, {rerouted.Kept} of {rerouted.Stages.Length} stages keep their state, found in {rerouted.SeekMilliseconds:0.0} ms"),
        TokensEmitted emitted => Tokens(emitted, text),
        ChoiceCompleted completed => string.Create(CultureInfo.InvariantCulture, $"choice {completed.Choice}: complete with {completed.Tokens} tokens ({completed.Reason})"),
        RequestCompleted completed => string.Create(
            CultureInfo.InvariantCulture,
            $"completed: {completed.PromptTokens} prompt tokens ({completed.CachedTokens} cached), {completed.CompletionTokens} tokens of the answer; first after {completed.FirstTokenMilliseconds:0.0} ms, all after {completed.Milliseconds:0.0} ms{Speed(completed)}"),
        RequestFailed failed => string.Create(CultureInfo.InvariantCulture, $"failed after {failed.CompletionTokens} tokens: {failed.Status} {failed.Code}: {failed.Message}"),
        RequestCancelled cancelled => string.Create(CultureInfo.InvariantCulture, $"cancelled after {cancelled.CompletionTokens} tokens: the client went away"),
        RouterLost lost => string.Create(CultureInfo.InvariantCulture, $"the router was lost after {lost.CompletionTokens} tokens"),
        _ => AuditCodec.TypeOf(one),
    };

    private static string Accepted(RequestAccepted accepted)
    {
        var sampling = accepted.Sampling;
        var who = accepted.Key.Length == 0 ? accepted.Client : $"{accepted.Client}, key {accepted.Key}";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"accepted from {who}: model {accepted.Model} ({accepted.Fingerprint}), {accepted.PromptTokens} prompt tokens{(accepted.Prompt is null ? " kept as a hash" : "")}, {(accepted.Choices == 1 ? "" : $"{accepted.Choices} choices, ")}at most {sampling.MaxTokens} tokens, temperature {sampling.Temperature}, seed {sampling.Seed}");
    }

    private static string Tokens(TokensEmitted emitted, Func<int, ImmutableArray<int>, string>? text)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"choice {emitted.Choice}: tokens {emitted.First} to {emitted.First + emitted.Count - 1}");
        return emitted.Ids switch
        {
            null => $"{line}, kept as a hash",
            { } ids when text is not null => $"{line}: \"{text(emitted.Choice, ids)}\"",
            _ => line,
        };
    }

    private static string Speed(RequestCompleted completed)
    {
        var decoding = completed.Milliseconds - completed.FirstTokenMilliseconds;
        return completed.CompletionTokens > 1 && decoding > 0
            ? string.Create(CultureInfo.InvariantCulture, $", {1000 * (completed.CompletionTokens - 1) / decoding:0.0} tokens/s")
            : "";
    }

    private static string Path(ImmutableArray<StageRecord> stages) =>
        string.Join(" > ", stages.Select(static stage => string.Create(CultureInfo.InvariantCulture, $"{Short(stage.Worker)} [{stage.Start}-{stage.End})")));

    private static string Short(string id) => id.Length == 40 && id.All(char.IsAsciiHexDigitLower) ? id[..8] : id;
}
