using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Identity;

namespace Parallax.Audit.Verify;

/// <summary>What the events of each kind of stream say.</summary>
internal sealed partial class AuditVerifier
{
    private void OnSegment(ref StreamState state, AuditRecord record)
    {
        if (record.Number == 1 != record.Event is SegmentOpened || record.Event is WriterStarted or Checkpoint or StreamsRetired)
        {
            Damage(ref state, FindingKind.Inserted, record.Stream, record.Number, $"a '{AuditCodec.TypeOf(record.Event)}' does not belong here");
            return;
        }

        if (state.HasEnded)
        {
            Damage(ref state, FindingKind.Inserted, record.Stream, record.Number, "the event before it was the segment's last");
        }

        switch (record.Event)
        {
            case SegmentOpened opened:
                OnOpened(ref state, record, opened);
                break;
            case RequestCompleted or RequestFailed or RequestCancelled or RouterLost:
                state.HasEnded = true;
                break;
        }
    }

    private void OnOpened(ref StreamState state, AuditRecord record, SegmentOpened opened)
    {
        if (!record.Stream.StartsWith(AuditStreams.Segment(opened.Request, opened.Writer, opened.Term, 0)[..^1], StringComparison.Ordinal))
        {
            Damage(ref state, FindingKind.Reordered, record.Stream, record.Number, string.Create(
                CultureInfo.InvariantCulture, $"by its contents it is of request {opened.Request}, writer {opened.Writer}, term {opened.Term}"));
            return;
        }

        var term = TermOf(opened.Writer, opened.Term);
        term.Segments++;
        state.Term = term.Index;
        switch (opened.Previous)
        {
            case { Stream: null } or { Head: null }:
                Note(FindingKind.Unknown, record.Stream, record.Number, "it goes on from where another router left the request, and that router's segment was unknown to it: nothing links the two");
                break;
            case { } previous when !Hash256.TryParse(previous.Head, out _) || AuditStreams.RequestOf(previous.Stream!) != opened.Request:
                Report(FindingKind.Contradiction, record.Stream, record.Number, $"it goes on from '{previous.Stream}', which is no segment of its request");
                break;
            case { } previous:
                _ = Hash256.TryParse(previous.Head, out var head);
                AddPoint(new PointCheck(previous.Stream!, previous.Length, head, PointReason.Link, record.Stream, record.Number));
                break;
        }
    }

    private void OnRetirement(ref StreamState state, AuditRecord record)
    {
        var writer = record.Stream[AuditStreams.RetirementPrefix.Length..];
        if (record.Event is not StreamsRetired retired)
        {
            Damage(ref state, FindingKind.Inserted, record.Stream, record.Number, $"a '{AuditCodec.TypeOf(record.Event)}' does not belong here");
            return;
        }

        var publicKey = WriterTrust.KeyOf(writer, retired.PublicKey);
        if (publicKey.IsEmpty)
        {
            Damage(ref state, FindingKind.Forged, record.Stream, record.Number, "its key is not the one that the stream is named after");
            return;
        }

        if (!IsSigned(publicKey, RetirementBytes.Of(record.Stream, record.Previous, retired), retired.Signature))
        {
            Damage(ref state, FindingKind.Forged, record.Stream, record.Number, $"its signature is not that of {writer}: what it says was deleted on purpose may have been deleted by anybody");
            return;
        }

        if (Distrust(writer, publicKey.Span, retired.Certificate, retired.Authority, record.At) is { } problem)
        {
            Damage(ref state, FindingKind.Untrusted, record.Stream, record.Number, problem);
            return;
        }

        foreach (var head in retired.Streams)
        {
            Retire(record, head);
        }
    }

    private void Retire(AuditRecord record, StreamHead retired)
    {
        if (!Hash256.TryParse(retired.Head, out var head) || StreamKinds.Of(retired.Stream) != StreamKind.Segment)
        {
            Report(FindingKind.Contradiction, record.Stream, record.Number, $"it retires '{retired.Stream}', which is no segment of a request");
            return;
        }

        var key = Hash256.KeyOf(retired.Stream);
        if (!_retired.TryAdd(key, (retired.Length, head)) && _retired[key] != (retired.Length, head))
        {
            Report(FindingKind.Contradiction, record.Stream, record.Number, $"it retires '{retired.Stream}' otherwise than an earlier one did");
        }

        // Usual: the checkpoints that list it came before. Nothing more need be known of it.
        if (_listed.TryGetValue(key, out var listed) && listed.Length == retired.Length && listed.Head == head && !_streams.ContainsKey(key))
        {
            _listed.Remove(key);
        }
    }

    /// <summary>A checkpoint whose signature is good lists a stream.</summary>
    private void OnListed(TermState term, AuditRecord record, StreamHead listed)
    {
        if (!Hash256.TryParse(listed.Head, out var head) || !IsSegmentOf(listed.Stream, term.Writer))
        {
            Report(FindingKind.Contradiction, record.Stream, record.Number, $"the checkpoint lists '{listed.Stream}', which is no segment of its writer");
            return;
        }

        var key = Hash256.KeyOf(listed.Stream);
        if (_retired.TryGetValue(key, out var retired) && !_streams.ContainsKey(key) && (retired.Length, retired.Head) == (listed.Length, head))
        {
            return;
        }

        if (!_listed.TryGetValue(key, out var waiting) || waiting.Length < listed.Length)
        {
            _listed[key] = new PointCheck(listed.Stream, listed.Length, head, PointReason.Checkpoint, record.Stream, record.Number);
        }
        else if (waiting.Length == listed.Length && waiting.Head != head)
        {
            Report(FindingKind.Contradiction, record.Stream, record.Number, $"the checkpoint lists '{listed.Stream}' otherwise than an earlier one did");
        }

        ref var state = ref CollectionsMarshal.GetValueRefOrNullRef(_streams, key);
        if (!Unsafe.IsNullRef(ref state))
        {
            CompareListing(ref state, key, listed.Stream);
        }
    }

    /// <summary>Compares a stream with what is listed of it, if it is just as long.</summary>
    private void CompareListing(ref StreamState state, UInt128 key, string stream)
    {
        if (_listed.Count > 0 && _listed.TryGetValue(key, out var listed) && listed.Length == state.Length)
        {
            _listed.Remove(key);
            state.Listed = state.Length;
            if (listed.Head != state.Head)
            {
                Mismatch(ref state, listed);
            }
        }

        if (state.Listed >= state.Length)
        {
            _unlisted.Remove(key);
        }
        else
        {
            _unlisted.TryAdd(key, stream);
        }
    }

    private void Mismatch(ref StreamState state, PointCheck check)
    {
        if (state.IsDamaged && check.Reason == PointReason.Checkpoint)
        {
            return; // the cause was found
        }

        Damage(ref state, check.Reason == PointReason.Link ? FindingKind.Contradiction : FindingKind.Altered, check.Stream, check.Length, $"it, or one before it, is not what {Source(check)}");
    }

    private static string Source(PointCheck check) => check.Reason switch
    {
        PointReason.Checkpoint => string.Create(CultureInfo.InvariantCulture, $"the checkpoint in event {check.FromNumber} of {check.From} was signed for"),
        PointReason.Link => $"the router saw that resumed the request ({check.From})",
        PointReason.NextTerm => $"the writer's next run found ({check.From})",
        _ => "an earlier verification saw",
    };

    private void AddPoint(PointCheck check) => _points.Add(check);

    private static bool IsSigned(ReadOnlyMemory<byte> publicKey, byte[] data, string signature)
    {
        Span<byte> bytes = stackalloc byte[128];
        return Convert.TryFromBase64String(signature, bytes, out var count) && PeerKey.Verify(publicKey.Span, data, bytes[..count]);
    }

    private string? Distrust(string writer, ReadOnlySpan<byte> publicKey, string? certificate, string? authority, DateTimeOffset at) =>
        _options.Writers.Count > 0 && !_options.Writers.Contains(writer) ? $"{writer} is not among the writers that are trusted"
        : WriterTrust.Problem(publicKey, certificate, authority, _options.Swarm, at) is { } problem ? $"{writer} {problem}"
        : null;

    private static bool IsSegmentOf(string stream, string writer)
    {
        var slash = stream.LastIndexOf('/');
        return StreamKinds.Of(stream) == StreamKind.Segment && slash > AuditStreams.RequestPrefix.Length
            && stream.AsSpan(slash + 1).StartsWith(writer.AsSpan(0, Math.Min(writer.Length, 16)), StringComparison.Ordinal);
    }
}
