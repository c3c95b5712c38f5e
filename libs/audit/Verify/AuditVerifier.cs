using System.Globalization;
using System.Runtime.InteropServices;
using Parallax.Audit.Chain;
using Parallax.EventStore;

namespace Parallax.Audit.Verify;

/// <summary>
/// Checks all events of the audit in the order of their positions: each stream's chain, and across streams the checkpoints, the
/// links between segments and between a writer's terms, and retirements. Pure. Of a stream only its head is remembered, some
/// 100 bytes, and its name only while no checkpoint vouches for all of it. Not thread-safe.
/// </summary>
/// <remarks>
/// A checkpoint may come before the events that it lists, or after later ones: what cannot be compared when it comes is compared
/// when the stream gets there, and in the end (<see cref="TakeChecks"/>) by looking the one event up.
/// </remarks>
internal sealed partial class AuditVerifier
{
    private readonly VerifyOptions _options;
    private readonly FindingList _found;
    private readonly Dictionary<UInt128, StreamState> _streams = [];       // entries are added by Add alone: references to them stay good
    private readonly Dictionary<UInt128, string> _unlisted = [];           // names of segments that have events no checkpoint lists
    private readonly Dictionary<UInt128, PointCheck> _listed = [];         // the longest listing of a stream that could not be compared yet
    private readonly Dictionary<UInt128, (long Length, Hash256 Head)> _retired = [];
    private readonly List<PointCheck> _points = [];                        // whatever else a stream must have; few
    private readonly Dictionary<(string Writer, long Term), TermState> _termsByName = [];
    private readonly List<TermState> _terms = [];
    private readonly Dictionary<string, long> _newestTerms = new(StringComparer.Ordinal);
    private readonly HashSet<string> _newerTypes = new(StringComparer.Ordinal);
    private readonly List<string> _retirements = [];
    private long _events;
    private long _segments;
    private long _checkpoints;

    public AuditVerifier(VerifyOptions options)
    {
        _options = options;
        _found = new FindingList(options.MaxFindings);
        foreach (var head in options.Remembered)
        {
            if (Hash256.TryParse(head.Head, out var hash))
            {
                _points.Add(new PointCheck(head.Stream, head.Length, hash, PointReason.Remembered, head.Stream, head.Length));
            }
        }
    }

    /// <summary>Events so far.</summary>
    public long Events => _events;

    /// <summary>Findings so far.</summary>
    public long FindingCount => _found.FindingCount;

    /// <summary>Whether a checkpoint lists events that have not been seen, and its writer may still be writing.</summary>
    public bool IsWaiting => _listed.Any(one =>
        !_retired.ContainsKey(one.Key) && Length(one.Key) < one.Value.Length && NewestTermOf(one.Value.From) is { HasEnded: false });

    /// <summary>Takes the next event; those that are not of the audit are passed over.</summary>
    public void Add(StoredEvent stored)
    {
        if (!stored.Stream.StartsWith(AuditStreams.Prefix, StringComparison.Ordinal))
        {
            return;
        }

        _events++;
        var kind = StreamKinds.Of(stored.Stream);
        if (kind == StreamKind.Other)
        {
            Report(FindingKind.Inserted, stored.Stream, stored.Version, "no part of the audit writes streams of this name");
            return;
        }

        var key = Hash256.KeyOf(stored.Stream);
        ref var state = ref CollectionsMarshal.GetValueRefOrAddDefault(_streams, key, out var isKnown);
        if (!isKnown)
        {
            state.Term = -1;
            Begin(kind, stored.Stream);
        }

        var hash = Hash256.Of(stored.Payload.Span);
        var envelope = CheckContents(ref state, stored, hash);
        if (!CheckPlace(ref state, stored, envelope))
        {
            return; // it is not the stream's next event: the next one is looked for behind the last
        }

        (state.Length, state.Head, state.IsBroken) = (stored.Version, hash, envelope is null);
        if (envelope is not null && Decode(ref state, stored) is { } record)
        {
            switch (kind)
            {
                case StreamKind.Segment:
                    OnSegment(ref state, record);
                    break;
                case StreamKind.Writer:
                    OnWriter(ref state, record);
                    break;
                default:
                    OnRetirement(ref state, record);
                    break;
            }
        }

        if (kind == StreamKind.Segment)
        {
            CompareListing(ref state, key, stored.Stream);
        }
    }

    private void Begin(StreamKind kind, string stream)
    {
        switch (kind)
        {
            case StreamKind.Segment:
                _segments++;
                break;
            case StreamKind.Retirement:
                _retirements.Add(stream);
                break;
            default:
                var (writer, term) = NameOf(stream);
                if (writer is null)
                {
                    Report(FindingKind.Inserted, stream, null, "no writer's streams have names like this");
                    break;
                }

                TermOf(writer, term).IsPresent = true;
                break;
        }
    }

    /// <summary>Whether the contents are what they are stored as; null where they are not, or cannot be read.</summary>
    private AuditEnvelope? CheckContents(ref StreamState state, StoredEvent stored, Hash256 hash)
    {
        AuditEnvelope? envelope = null;
        string? problem = null;
        try
        {
            envelope = AuditCodec.ReadEnvelope(stored.Payload);
        }
        catch (AuditFormatException e)
        {
            problem = e.Message.TrimEnd('.');
        }

        if (hash.EventId != stored.Id)
        {
            Damage(ref state, FindingKind.Altered, stored.Stream, stored.Version, $"its contents are not those that it was stored with (they do not have the hash that its id is made of){(problem is null ? "" : $"; {problem}")}");
            return null;
        }

        if (envelope is null)
        {
            Damage(ref state, FindingKind.Altered, stored.Stream, stored.Version, problem!);
            return null;
        }

        if (envelope.Stream != stored.Stream)
        {
            Damage(ref state, FindingKind.Reordered, stored.Stream, stored.Version, string.Create(CultureInfo.InvariantCulture, $"by its contents it is event {envelope.Number} of the stream {envelope.Stream}"));
            return null;
        }

        if (envelope.Number != stored.Version)
        {
            Damage(ref state, FindingKind.Reordered, stored.Stream, stored.Version, string.Create(CultureInfo.InvariantCulture, $"by its contents it is event {envelope.Number}"));
            return null;
        }

        if (envelope.Type != stored.Type)
        {
            Damage(ref state, FindingKind.Altered, stored.Stream, stored.Version, $"it is stored as '{stored.Type}', but is a '{envelope.Type}'");
        }

        return envelope;
    }

    /// <summary>Whether it is the stream's next event, perhaps behind a gap.</summary>
    private bool CheckPlace(ref StreamState state, StoredEvent stored, AuditEnvelope? envelope)
    {
        if (stored.Version <= state.Length)
        {
            Damage(ref state, FindingKind.Reordered, stored.Stream, stored.Version, string.Create(
                CultureInfo.InvariantCulture, $"it stands behind event {state.Length}: it was put in, or moved"));
            return false;
        }

        if (stored.Version > state.Length + 1)
        {
            var (first, last) = (state.Length + 1, stored.Version - 1);
            Damage(ref state, FindingKind.Deleted, stored.Stream, first, string.Create(
                CultureInfo.InvariantCulture, $"{(first == last ? "it is missing" : $"it and all up to event {last} are missing")}, though event {stored.Version} is there"));
            return true;
        }

        if (envelope is not null && !state.IsBroken)
        {
            var follows = state.Length == 0
                ? envelope.Previous == AuditChain.Origin
                : Hash256.TryParse(envelope.Previous, out var previous) && previous == state.Head;
            if (!follows)
            {
                Damage(ref state, FindingKind.Altered, stored.Stream, stored.Version, state.Length == 0
                    ? "it names an event before it, and is the first"
                    : string.Create(CultureInfo.InvariantCulture, $"it does not follow from event {state.Length}: one of the two is not what was written there"));
            }
        }

        return true;
    }

    private AuditRecord? Decode(ref StreamState state, StoredEvent stored)
    {
        try
        {
            return AuditCodec.Decode(stored.Payload);
        }
        catch (AuditFormatException e) when (e.IsNewer)
        {
            if (_newerTypes.Add(stored.Type))
            {
                Note(FindingKind.Newer, stored.Stream, stored.Version, $"{e.Message.TrimEnd('.')}: its place in the chain was checked, its contents were not");
            }

            return null;
        }
        catch (AuditFormatException e)
        {
            Damage(ref state, FindingKind.Altered, stored.Stream, stored.Version, e.Message.TrimEnd('.'));
            return null;
        }
    }

    private long Length(UInt128 key) => _streams.TryGetValue(key, out var state) ? state.Length : 0;

    private void Damage(ref StreamState state, FindingKind kind, string stream, long? number, string message)
    {
        state.IsDamaged = true;
        Report(kind, stream, number, message);
    }

    private void Report(FindingKind kind, string stream, long? number, string message) => _found.Add(new Finding(kind, IsNote: false, stream, number, message));

    private void Note(FindingKind kind, string stream, long? number, string message) => _found.Add(new Finding(kind, IsNote: true, stream, number, message));
}
