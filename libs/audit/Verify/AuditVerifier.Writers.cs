using System.Globalization;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;

namespace Parallax.Audit.Verify;

/// <summary>What the streams of writers say.</summary>
internal sealed partial class AuditVerifier
{
    private void OnWriter(ref StreamState state, AuditRecord record)
    {
        var (writer, number) = NameOf(record.Stream);
        if (writer is null)
        {
            return; // said when it began
        }

        var term = TermOf(writer, number);
        state.Term = term.Index;
        switch (record.Event)
        {
            case WriterStarted started when record.Number == 1:
                OnStarted(ref state, term, record, started);
                break;
            case Checkpoint checkpoint when record.Number > 1:
                OnCheckpoint(ref state, term, record, checkpoint);
                break;
            default:
                term.IsDamaged = true;
                Damage(ref state, FindingKind.Inserted, record.Stream, record.Number, $"a '{AuditCodec.TypeOf(record.Event)}' does not belong here");
                break;
        }
    }

    private void OnStarted(ref StreamState state, TermState term, AuditRecord record, WriterStarted started)
    {
        if (started.Writer != term.Writer || started.Term != term.Term)
        {
            term.IsDamaged = true;
            Damage(ref state, FindingKind.Reordered, record.Stream, 1, string.Create(
                CultureInfo.InvariantCulture, $"by its contents it is of writer {started.Writer}, term {started.Term}"));
            return;
        }

        var publicKey = WriterTrust.KeyOf(started.Writer, started.PublicKey);
        if (publicKey.IsEmpty)
        {
            term.IsDamaged = true;
            Damage(ref state, FindingKind.Forged, record.Stream, 1, "its key is not the one that the writer is named after: its signatures prove nothing");
            return;
        }

        term.PublicKey = publicKey;
        if (Distrust(started.Writer, publicKey.Span, started.Certificate, started.Authority, record.At) is { } problem)
        {
            Damage(ref state, FindingKind.Untrusted, record.Stream, 1, problem);
        }

        if (term.Term > 1)
        {
            var before = TermOf(term.Writer, term.Term - 1);
            if (Hash256.TryParse(started.PreviousHead, out var head))
            {
                AddPoint(new PointCheck(before.Stream, started.PreviousLength, head, PointReason.NextTerm, record.Stream, 1));
            }
            else
            {
                term.KnowsPrevious = false;
                Note(FindingKind.Unknown, record.Stream, 1, string.Create(CultureInfo.InvariantCulture, $"the writer did not know how its term {before.Term} had ended: nothing links the two"));
            }
        }
    }

    private void OnCheckpoint(ref StreamState state, TermState term, AuditRecord record, Checkpoint checkpoint)
    {
        if (term.HasEnded)
        {
            Damage(ref state, FindingKind.Inserted, record.Stream, record.Number, "the term had ended with the checkpoint before");
        }

        if (term.PublicKey.IsEmpty)
        {
            if (!term.IsDamaged && !state.IsDamaged)
            {
                Damage(ref state, FindingKind.Forged, record.Stream, record.Number, "the signature cannot be checked: the stream's first event does not give the writer's key");
            }

            term.IsDamaged = true;
            return;
        }

        if (!IsSigned(term.PublicKey, CheckpointBytes.Of(record.Stream, record.Previous, checkpoint), checkpoint.Signature))
        {
            term.IsDamaged = true;
            Damage(ref state, FindingKind.Forged, record.Stream, record.Number, $"the signature of the checkpoint is not that of {term.Writer}");
            return;
        }

        if (checkpoint.Number != term.Checkpoints + 1 && !state.IsDamaged)
        {
            Damage(ref state, FindingKind.Contradiction, record.Stream, record.Number, string.Create(
                CultureInfo.InvariantCulture, $"checkpoint {checkpoint.Number} follows on checkpoint {term.Checkpoints}"));
        }

        term.Checkpoints = checkpoint.Number;
        term.HasEnded = checkpoint.IsLast;
        _checkpoints++;
        foreach (var listed in checkpoint.Streams)
        {
            OnListed(term, record, listed);
        }
    }

    private TermState TermOf(string writer, long term)
    {
        if (!_termsByName.TryGetValue((writer, term), out var state))
        {
            state = new TermState(writer, term, _terms.Count);
            _termsByName.Add((writer, term), state);
            _terms.Add(state);
            _newestTerms[writer] = Math.Max(term, _newestTerms.GetValueOrDefault(writer));
        }

        return state;
    }

    /// <summary>The term of a writer's stream, if the writer has no newer one.</summary>
    private TermState? NewestTermOf(string stream)
    {
        var (writer, number) = NameOf(stream);
        return writer is not null && _termsByName.TryGetValue((writer, number), out var term) && _newestTerms[writer] == number ? term : null;
    }

    private static (string? Writer, long Term) NameOf(string stream)
    {
        var slash = stream.LastIndexOf('/');
        return slash > AuditStreams.WriterPrefix.Length
            && long.TryParse(stream.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var term)
            && term > 0
            && AuditStreams.Writer(stream[AuditStreams.WriterPrefix.Length..slash], term) == stream
            ? (stream[AuditStreams.WriterPrefix.Length..slash], term)
            : (null, 0);
    }
}
