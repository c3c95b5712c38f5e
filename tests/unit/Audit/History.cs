using System.Collections.Immutable;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Audit.Verify;
using Parallax.EventStore;
using Parallax.Identity;

namespace Parallax.UnitTests.Audit;

/// <summary>
/// What routers would have written, made of a seed: several writers and terms, requests that end each way, go on at another router,
/// or were left by a crash; checkpoints; events that arrive out of order across streams; old requests that were retired.
/// </summary>
internal sealed class History
{
    private static readonly PeerKey[] Keys = [PeerKey.Create(), PeerKey.Create(), PeerKey.Create(), PeerKey.Create()];
    private static readonly DateTimeOffset Start = new(2025, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly Random _random;
    private readonly List<ChainedEvent> _written = [];
    private readonly List<Writer> _writers = [];
    private readonly Dictionary<string, long> _signed = new(StringComparer.Ordinal);
    private int _requests;

    private History(int seed, int steps)
    {
        _random = new Random(seed);
        for (var i = _random.Next(1, 4); i > 0; i--)
        {
            _writers.Add(new Writer(Keys[i]));
            StartTerm(_writers[^1], knowsPrevious: true);
        }

        for (var step = 0; step < steps; step++)
        {
            Step(_writers[_random.Next(_writers.Count)]);
        }

        foreach (var writer in _writers)
        {
            if (_random.Next(3) > 0)
            {
                Checkpoint(writer, isLast: _random.Next(2) == 0);
            }
        }

        Mix();
        Events = [.. _written.Select(static (one, i) => new StoredEvent(one.Stream, one.Number, i + 1, one.Id, one.Type, Start, one.Payload))];
        Retire();
    }

    /// <summary>As a store has them, in order of position.</summary>
    public ImmutableArray<StoredEvent> Events { get; private set; }

    public static PeerKey Stranger => Keys[0];

    public static History Of(int seed, int steps = 60) => new(seed, steps);

    /// <summary>Whether a signature covers an event's contents, so that nobody without the key can change them unseen.</summary>
    public bool IsSigned(StoredEvent one) => one.Version <= _signed.GetValueOrDefault(one.Stream);

    /// <summary>Whether anything says that a stream exists, beside itself.</summary>
    public bool IsNamed(string stream) => IsNamed(Events, stream);

    public static VerificationReport Verify(IEnumerable<StoredEvent> events, VerifyOptions? options = null)
    {
        var verifier = new AuditVerifier(options ?? new VerifyOptions());
        StoredEvent[] ordered = [.. events.OrderBy(static one => one.Position)];
        foreach (var one in ordered)
        {
            verifier.Add(one);
        }

        foreach (var check in verifier.TakeChecks())
        {
            verifier.Answer(check, ordered.Where(one => one.Stream == check.Stream && one.Version >= check.Length).MinBy(static one => one.Version));
        }

        return verifier.Finish();
    }

    /// <summary>The events of a stream with one of them replaced, and all behind it made to follow.</summary>
    public static IEnumerable<StoredEvent> Rechain(IEnumerable<StoredEvent> events, StoredEvent changed, Func<AuditRecord, AuditRecord> change)
    {
        var head = "";
        foreach (var one in events)
        {
            if (one.Stream != changed.Stream || one.Version < changed.Version)
            {
                yield return one;
                continue;
            }

            var record = AuditCodec.Decode(one.Payload);
            record = one.Version == changed.Version ? change(record) : record with { Previous = head };
            var payload = AuditCodec.Encode(record);
            head = AuditChain.HashOf(payload.Span);
            yield return one with { Payload = payload, Id = AuditChain.IdOf(head), Type = AuditCodec.TypeOf(record.Event) };
        }
    }

    private static bool IsNamed(ImmutableArray<StoredEvent> events, string stream)
    {
        var records = events.Where(one => one.Stream != stream).Select(static one => AuditCodec.Decode(one.Payload)).ToArray();
        if (stream.StartsWith(AuditStreams.WriterPrefix, StringComparison.Ordinal))
        {
            var name = stream[AuditStreams.WriterPrefix.Length..].Split('/');
            return records.Any(record =>
                (record.Event is SegmentOpened opened && opened.Writer == name[0] && $"{opened.Term}" == name[1])
                || (record.Event is WriterStarted started && started.Writer == name[0] && started.Term > long.Parse(name[1], System.Globalization.CultureInfo.InvariantCulture)));
        }

        return stream.StartsWith(AuditStreams.RetirementPrefix, StringComparison.Ordinal)
            || records.Any(record =>
                (record.Event is Checkpoint checkpoint && checkpoint.Streams.Any(head => head.Stream == stream))
                || (record.Event is SegmentOpened { Previous: { } previous } && previous.Stream == stream));
    }

    private void Step(Writer writer)
    {
        switch (_random.Next(12))
        {
            case 0:
                Checkpoint(writer, isLast: false);
                break;
            case 1 when _random.Next(3) == 0:
                EndTerm(writer);
                break;
            case 2 or 3:
                Open(writer, $"chatcmpl-{++_requests}", null);
                break;
            case 4 when _writers.SelectMany(static one => one.Segments).ToArray() is { Length: > 0 } all:
                var left = all[_random.Next(all.Length)];
                var previous = _random.Next(4) == 0 ? PreviousSegment.Unknown : new PreviousSegment(left.Stream, left.Length, left.Head);
                Open(writer, AuditStreams.RequestOf(left.Stream)!, previous);
                break;
            default:
                if (writer.Open.Count > 0)
                {
                    Continue(writer, writer.Open[_random.Next(writer.Open.Count)]);
                }

                break;
        }
    }

    private void Open(Writer writer, string request, PreviousSegment? previous)
    {
        var chain = new AuditChain(AuditStreams.Segment(request, writer.Id, writer.Term, ++writer.Opened));
        writer.Open.Add(chain);
        writer.Segments.Add(chain);
        Write(writer, chain, new SegmentOpened(request, writer.Id, writer.Term, previous, previous is null ? null : "4"));
        Write(writer, chain, Samples.Accepted() with { PromptTokens = 3 });
    }

    private void Continue(Writer writer, AuditChain chain)
    {
        AuditEvent next = _random.Next(9) switch
        {
            0 => new RequestCompleted(3, 0, 5, 1.5, 20.25),
            1 => new RequestFailed(503, "overloaded", "no workers — später", 1),
            2 => new RequestCancelled(2),
            3 => new StageLost(0, 1, "w-2", 4, "the link broke"),
            4 => new Rerouted(0, 2, [new StageRecord("w-1", 0, 4), new StageRecord("w-3", 4, 8)], 1, 2.5),
            5 => new RouteChosen(0, "s", 1, [new StageRecord("w-1", 0, 4), new StageRecord("w-2", 4, 8)], "least time"),
            _ => new TokensEmitted(0, (int)chain.Length, 2, [_random.Next(100), _random.Next(100)], "0"),
        };
        Write(writer, chain, next);
        if (next is RequestCompleted or RequestFailed or RequestCancelled)
        {
            writer.Open.Remove(chain);
        }
    }

    private void StartTerm(Writer writer, bool knowsPrevious)
    {
        var before = writer.Chain;
        writer.Term++;
        writer.Opened = 0;
        writer.Checkpoints = 0;
        writer.Chain = new AuditChain(AuditStreams.Writer(writer.Id, writer.Term));
        _written.Add(writer.Chain.Append(
            new WriterStarted(
                writer.Id, writer.Term, Convert.ToBase64String(writer.Key.PublicKey.Span), null,
                knowsPrevious ? before?.Head : null, knowsPrevious ? before?.Length ?? 0 : 0, "full"),
            Now()));
    }

    private void EndTerm(Writer writer)
    {
        // In order, or as the next run finds a run that was killed.
        foreach (var left in writer.Open.ToArray())
        {
            Write(writer, left, new RouterLost(1));
        }

        writer.Open.Clear();
        Checkpoint(writer, isLast: _random.Next(2) == 0);
        _signed[writer.Chain!.Stream] = writer.Chain.Length;
        StartTerm(writer, knowsPrevious: true);
    }

    private void Checkpoint(Writer writer, bool isLast)
    {
        var unsigned = new Checkpoint(
            ++writer.Checkpoints, [.. writer.Grown.Values.OrderBy(static chain => chain.Stream, StringComparer.Ordinal).Select(static chain => chain.ToStreamHead())], isLast, "");
        var signature = writer.Key.Sign(CheckpointBytes.Of(writer.Chain!.Stream, writer.Chain.Head, unsigned));
        _written.Add(writer.Chain.Append(unsigned with { Signature = Convert.ToBase64String(signature) }, Now()));
        foreach (var chain in writer.Grown.Values)
        {
            _signed[chain.Stream] = chain.Length;
        }

        // The last event's own time is under no signature until something follows.
        _signed[writer.Chain.Stream] = writer.Chain.Length - 1;
        writer.Grown.Clear();
    }

    private void Write(Writer writer, AuditChain chain, AuditEvent what)
    {
        _written.Add(chain.Append(what, Now()));
        writer.Grown[chain.Stream] = chain;
    }

    private DateTimeOffset Now() => Start.AddMilliseconds(_written.Count);

    /// <summary>Events of different streams overtake each other.</summary>
    private void Mix()
    {
        for (var i = 0; i < 3 * _written.Count; i++)
        {
            var at = _random.Next(_written.Count - 1);
            if (_written[at].Stream != _written[at + 1].Stream)
            {
                (_written[at], _written[at + 1]) = (_written[at + 1], _written[at]);
            }
        }
    }

    private void Retire()
    {
        var key = _writers[0].Key;
        var chain = new AuditChain(AuditStreams.Retirement(key.Id.ToString()));
        for (var i = _random.Next(3); i > 0; i--)
        {
            var retired = _writers.SelectMany(static writer => writer.Segments.Except(writer.Open))
                .Where(segment => segment.Length == _signed.GetValueOrDefault(segment.Stream) && Events.Any(one => one.Stream == segment.Stream) && _random.Next(4) == 0)
                .Select(static segment => segment.ToStreamHead()).ToImmutableArray();
            if (retired.IsEmpty)
            {
                continue;
            }

            var unsigned = new StreamsRetired(Start, retired, "older than 90 days", Convert.ToBase64String(key.PublicKey.Span), null, null, "");
            var written = chain.Append(
                unsigned with { Signature = Convert.ToBase64String(key.Sign(RetirementBytes.Of(chain.Stream, chain.Head, unsigned))) }, Start);
            Events =
            [
                .. Events.Where(one => retired.All(head => head.Stream != one.Stream)),
                new StoredEvent(written.Stream, written.Number, Events[^1].Position + 1, written.Id, written.Type, Start, written.Payload),
            ];
        }

        _signed[chain.Stream] = chain.Length - 1;
    }

    private sealed class Writer(PeerKey key)
    {
        public PeerKey Key { get; } = key;

        public string Id { get; } = key.Id.ToString();

        public long Term { get; set; }

        public long Opened { get; set; }

        public long Checkpoints { get; set; }

        public AuditChain? Chain { get; set; }

        public List<AuditChain> Open { get; } = [];

        public List<AuditChain> Segments { get; } = [];

        public Dictionary<string, AuditChain> Grown { get; } = new(StringComparer.Ordinal);
    }
}
