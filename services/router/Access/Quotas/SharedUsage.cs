using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.EventStore;

namespace Parallax.Router.Access.Quotas;

/// <summary>
/// Learns from the audit's events what keys use elsewhere: on other routers, and in this router's runs before this one. One
/// caller at a time.
/// </summary>
/// <param name="ledger">What it tells.</param>
/// <param name="isOwn">Whether a stream is one that this run of this router writes, and has counted.</param>
/// <param name="isKnown">Whether somebody is a key.</param>
internal sealed class SharedUsage(QuotaLedger ledger, Func<string, bool> isOwn, Func<string, bool> isKnown)
{
    /// <summary>Requests that are followed at a time at most. The oldest is let go then: what it has set aside stays so for the day.</summary>
    public const int MaxOpen = 65_536;

    private readonly Dictionary<string, OpenSegment> _open = new(StringComparer.Ordinal);
    private readonly LinkedList<OpenSegment> _byAge = new();

    /// <summary>Requests that are followed.</summary>
    public int OpenCount => _open.Count;

    /// <summary>Takes an event of the store into account.</summary>
    /// <exception cref="AuditFormatException">It cannot be read.</exception>
    public void Apply(StoredEvent stored)
    {
        if (!stored.Stream.StartsWith(AuditStreams.RequestPrefix, StringComparison.Ordinal) || isOwn(stored.Stream))
        {
            return;
        }

        // Tokens come in most events: only those of requests that count are read.
        if (!_open.TryGetValue(stored.Stream, out var segment) && stored.Version > 1)
        {
            return;
        }

        var record = AuditCodec.Decode(stored.Payload);
        switch (record.Event)
        {
            case SegmentOpened opened when segment is null:
                Follow(new OpenSegment(stored.Stream, opened.ResumedFrom is not null));
                break;
            case RequestAccepted accepted when segment is { Reservation: null }:
                if (!isKnown(accepted.Key))
                {
                    LetGo(segment);
                    break;
                }

                segment.Prompt = segment.IsResumed ? 0 : accepted.PromptTokens;
                segment.Reservation = ledger.AddOther(accepted.Key, record.At, segment.Prompt + ((long)accepted.Choices * accepted.Sampling.MaxTokens));
                if (segment.Reservation is null)
                {
                    LetGo(segment);
                }

                break;
            case TokensEmitted emitted when segment is not null:
                segment.Emitted += emitted.Count;
                break;
            case RequestCompleted or RequestFailed or RequestCancelled or RouterLost when segment is not null:
                segment.Reservation?.Settle(segment.Prompt + segment.Emitted);
                LetGo(segment);
                break;
            default:
                break;
        }
    }

    private void Follow(OpenSegment segment)
    {
        _open.Add(segment.Stream, segment);
        segment.Node = _byAge.AddLast(segment);
        if (_open.Count > MaxOpen)
        {
            LetGo(_byAge.First!.Value);
        }
    }

    private void LetGo(OpenSegment segment)
    {
        _open.Remove(segment.Stream);
        _byAge.Remove(segment.Node!);
    }

    private sealed class OpenSegment(string stream, bool isResumed)
    {
        public string Stream => stream;

        public bool IsResumed => isResumed;

        public long Prompt { get; set; }

        public long Emitted { get; set; }

        public TokenReservation? Reservation { get; set; }

        public LinkedListNode<OpenSegment>? Node { get; set; }
    }
}
