using System.Collections.Immutable;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;

namespace Parallax.Audit.Index;

/// <summary>A request as its events make it. Pure and total: events of segments may come in any order across segments, and any may be missing.</summary>
public static class RequestProjection
{
    private const int MaxChoices = 1024; // what a payload says is not believed beyond
    private const int MaxWorkers = 256;

    /// <summary>The request after an event of one of its segments.</summary>
    /// <param name="row">Before; null for the first that is seen of it.</param>
    /// <param name="request">Its id.</param>
    /// <param name="record">The event.</param>
    public static RequestRow Evolve(RequestRow? row, string request, AuditRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        row ??= new RequestRow { Id = request, OpenedAt = record.At, Status = RequestStatus.Running };
        return record.Event switch
        {
            SegmentOpened opened => OnOpened(row, record, opened),
            RequestAccepted accepted => row with
            {
                Model = accepted.Model,
                Weights = accepted.Weights,
                Fingerprint = accepted.Fingerprint,
                Key = accepted.Key,
                Client = accepted.Client,
                Choices = accepted.Choices,
                IsStream = accepted.IsStream,
                PromptTokens = accepted.PromptTokens,
            },
            RouteChosen chosen => WithWorkers(row, chosen.Stages),
            StageLost => row with { Losses = row.Losses + 1 },
            Rerouted rerouted => WithWorkers(row, rerouted.Stages) with { Reroutes = row.Reroutes + 1 },
            TokensEmitted emitted => OnTokens(row, emitted),
            RequestCompleted completed => OnEnd(row, record, RequestStatus.Completed, completed.CompletionTokens) with
            {
                PromptTokens = completed.PromptTokens,
                CachedTokens = completed.CachedTokens,
                FirstTokenMilliseconds = completed.FirstTokenMilliseconds,
                Milliseconds = row.Segments > 1 ? (record.At - row.OpenedAt).TotalMilliseconds : completed.Milliseconds,
            },
            RequestFailed failed when IsDecisive(row, record) => OnEnd(row, record, RequestStatus.Failed, failed.CompletionTokens) with { ErrorCode = failed.Code, Error = failed.Message },
            RequestCancelled cancelled when IsDecisive(row, record) => OnEnd(row, record, RequestStatus.Cancelled, cancelled.CompletionTokens),
            RouterLost lost when IsDecisive(row, record) => OnEnd(row, record, RequestStatus.Lost, lost.CompletionTokens),
            _ => row,
        };
    }

    private static RequestRow OnOpened(RequestRow row, AuditRecord record, SegmentOpened opened)
    {
        var counted = row with { Segments = row.Segments + 1, OpenedAt = record.At < row.OpenedAt ? record.At : row.OpenedAt };

        // The first segment may arrive behind the one that goes on from it, and a completed answer may be read again: neither
        // makes it run.
        return (row.Segments > 0 && opened.Previous is null) || row.Status == RequestStatus.Completed
            ? counted
            : counted with { Segment = record.Stream, Status = RequestStatus.Running, EndedAt = null, ErrorCode = null, Error = null, Milliseconds = null };
    }

    private static RequestRow OnTokens(RequestRow row, TokensEmitted emitted)
    {
        if (emitted.Choice is < 0 or >= MaxChoices || emitted.First < 0 || emitted.Count < 0)
        {
            return row;
        }

        var shown = row.Shown;
        while (shown.Length <= emitted.Choice)
        {
            shown = shown.Add(0);
        }

        // A resumed answer's tokens are those that were shown before: they count once.
        shown = shown.SetItem(emitted.Choice, (int)Math.Min(int.MaxValue, Math.Max(shown[emitted.Choice], (long)emitted.First + emitted.Count)));
        return row with { Shown = shown, CompletionTokens = row.Status == RequestStatus.Completed ? row.CompletionTokens : (int)Math.Min(int.MaxValue, shown.Sum(static count => (long)count)) };
    }

    private static RequestRow OnEnd(RequestRow row, AuditRecord record, RequestStatus status, int tokens) => row with
    {
        Status = status,
        EndedAt = record.At,
        CompletionTokens = Math.Max(row.CompletionTokens, tokens),
        Milliseconds = (record.At - row.OpenedAt).TotalMilliseconds,
        ErrorCode = null,
        Error = null,
    };

    /// <summary>Whether how this segment ends is how the request ends.</summary>
    private static bool IsDecisive(RequestRow row, AuditRecord record) =>
        row.Status != RequestStatus.Completed && (row.Segment.Length == 0 || row.Segment == record.Stream);

    private static RequestRow WithWorkers(RequestRow row, ImmutableArray<StageRecord> stages)
    {
        var workers = row.Workers;
        foreach (var stage in stages)
        {
            var place = workers.BinarySearch(stage.Worker, StringComparer.Ordinal);
            if (place < 0 && workers.Length < MaxWorkers)
            {
                workers = workers.Insert(~place, stage.Worker);
            }
        }

        return row with { Workers = workers };
    }
}
