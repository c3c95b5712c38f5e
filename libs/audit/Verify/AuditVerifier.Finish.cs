using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.EventStore;

namespace Parallax.Audit.Verify;

/// <summary>What can be said when all events have gone by.</summary>
internal sealed partial class AuditVerifier
{
    /// <summary>
    /// Compares what is left to be compared with the streams as they stand. What remains needs a single event each: look it up and
    /// give it to <see cref="Answer"/>, then call <see cref="Finish"/>.
    /// </summary>
    public ImmutableArray<PointCheck> TakeChecks()
    {
        var lookUps = ImmutableArray.CreateBuilder<PointCheck>();
        foreach (var check in _listed.Values.Concat(_points))
        {
            if (!CompareNow(check))
            {
                lookUps.Add(check);
            }
        }

        _listed.Clear();
        _points.Clear();
        return lookUps.ToImmutable();
    }

    /// <summary>The event that a check asks for, as it is stored now; null when it is not there.</summary>
    public void Answer(PointCheck check, StoredEvent? found)
    {
        ref var state = ref CollectionsMarshal.GetValueRefOrNullRef(_streams, Hash256.KeyOf(check.Stream));
        if (found is null || found.Version != check.Length)
        {
            if (!state.IsDamaged)
            {
                Damage(ref state, FindingKind.Deleted, check.Stream, check.Length, $"it is missing, though {Source(check)} it");
            }
        }
        else if (Hash256.Of(found.Payload.Span) != check.Head)
        {
            Mismatch(ref state, check);
        }
        else if (check.Reason == PointReason.Checkpoint)
        {
            state.Listed = Math.Max(state.Listed, check.Length);
        }
    }

    /// <summary>Where a segment stands that has ended and that checkpoints vouch for to its end; null for any other.</summary>
    public StreamHead? EndedHeadOf(string stream) =>
        _streams.TryGetValue(Hash256.KeyOf(stream), out var state) && state is { HasEnded: true, IsDamaged: false } && state.Listed == state.Length
            ? new StreamHead(stream, state.Length, state.Head.ToString())
            : null;

    /// <summary>The outcome.</summary>
    public VerificationReport Finish()
    {
        CheckTerms();
        var unvouched = CheckUnlisted();
        return new VerificationReport
        {
            Findings = _found.ToArray(),
            FindingCount = _found.FindingCount,
            NoteCount = _found.NoteCount,
            Events = _events,
            Segments = _segments,
            Unvouched = unvouched,
            Checkpoints = _checkpoints,
            Retired = _retired.Count,
            Writers = [.. _terms.Select(static term => term.Writer).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Heads = [.. Heads()],
        };
    }

    /// <summary>Whether the check needs no look at an earlier event.</summary>
    private bool CompareNow(PointCheck check)
    {
        var key = Hash256.KeyOf(check.Stream);
        ref var state = ref CollectionsMarshal.GetValueRefOrNullRef(_streams, key);
        if (Unsafe.IsNullRef(ref state))
        {
            CompareMissing(check, key);
            return true;
        }

        if (check.Length > state.Length)
        {
            var first = state.Length + 1;
            Damage(ref state, FindingKind.CutOff, check.Stream, first, string.Create(
                CultureInfo.InvariantCulture, $"{(first == check.Length ? "it is missing" : $"it and all up to event {check.Length} are missing")} from the stream's end, though {Seen(check)}"));
            return true;
        }

        if (check.Reason == PointReason.NextTerm && check.Length < state.Length)
        {
            Damage(ref state, FindingKind.Inserted, check.Stream, check.Length + 1, string.Create(
                CultureInfo.InvariantCulture, $"the term had ended with event {check.Length}, as {Source(check)}"));
        }

        if (check.Length < state.Length)
        {
            return check.Length == 0;
        }

        if (check.Head != state.Head)
        {
            Mismatch(ref state, check);
        }

        if (check.Reason == PointReason.Checkpoint)
        {
            state.Listed = check.Length;
        }

        return true;
    }

    private void CompareMissing(PointCheck check, UInt128 key)
    {
        if (_retired.TryGetValue(key, out var retired))
        {
            // A checkpoint's last listing is what was deleted; a router that resumed the request may have seen less of it.
            var fits = check.Reason == PointReason.Link && check.Length < retired.Length
                || (retired.Length, retired.Head) == (check.Length, check.Head);
            if (!fits)
            {
                Report(FindingKind.Contradiction, check.Stream, null, string.Create(
                    CultureInfo.InvariantCulture, $"it was retired with {retired.Length} events, and that is not what {Source(check)} (event {check.Length})"));
            }

            return;
        }

        if (StreamKinds.Of(check.Stream) == StreamKind.Writer && check.Reason == PointReason.NextTerm)
        {
            return; // the term is missing, which is said once
        }

        Report(FindingKind.Deleted, check.Stream, null, string.Create(
            CultureInfo.InvariantCulture, $"the whole stream is missing, {check.Length} events or more, though {Seen(check)}; no retirement explains it"));
    }

    private static string Seen(PointCheck check) => check.Reason switch
    {
        PointReason.Checkpoint => string.Create(CultureInfo.InvariantCulture, $"the checkpoint in event {check.FromNumber} of {check.From} lists it"),
        _ => $"{Source(check)} it",
    };

    private void CheckTerms()
    {
        foreach (var terms in _terms.GroupBy(static term => term.Writer, StringComparer.Ordinal))
        {
            long before = 0;
            foreach (var number in terms.Select(static term => term.Term).Order())
            {
                if (number > before + 1)
                {
                    // Terms rise by one: they have been.
                    Report(FindingKind.Deleted, AuditStreams.Writer(terms.Key, number - 1), null, string.Create(
                        CultureInfo.InvariantCulture, $"nothing is there of the writer's {(number == before + 2 ? "term" : $"terms {before + 1} to")} {number - 1}, though term {number} is"));
                }

                before = number;
            }
        }

        foreach (var term in _terms.Where(static term => !term.IsPresent))
        {
            term.IsDamaged = true;
            Report(FindingKind.Deleted, term.Stream, null, string.Create(
                CultureInfo.InvariantCulture, $"the writer's whole stream of term {term.Term} is missing, and with it the signatures for {(term.Segments == 0 ? "that term" : $"{term.Segments} segments that are there")}"));
        }
    }

    /// <summary>Segments with events that no checkpoint vouches for.</summary>
    private long CheckUnlisted()
    {
        long unvouched = 0;
        foreach (var (key, stream) in _unlisted)
        {
            ref var state = ref CollectionsMarshal.GetValueRefOrNullRef(_streams, key);
            if (Unsafe.IsNullRef(ref state) || state.Listed >= state.Length)
            {
                continue;
            }

            unvouched += state.Length - state.Listed;
            if (state.Term < 0)
            {
                if (!state.IsDamaged)
                {
                    _found.Add(new Finding(FindingKind.Unvouched, IsNote: _newerTypes.Count > 0, stream, null, "no writer vouches for it"));
                }

                continue;
            }

            var term = _terms[state.Term];
            if (term.IsDamaged || state.IsDamaged)
            {
                continue; // the cause was found
            }

            var from = state.Listed + 1;
            if (NewestTermOf(term.Stream) is { HasEnded: false })
            {
                continue; // the next checkpoint will
            }

            var next = _termsByName.GetValueOrDefault((term.Writer, term.Term + 1));
            var message = string.Create(CultureInfo.InvariantCulture, $"no checkpoint of its writer vouches for it{(from == state.Length ? "" : $" and all up to event {state.Length}")}");
            if (next is { KnowsPrevious: false })
            {
                Note(FindingKind.Unvouched, stream, from, $"{message}: the writer had lost its log when it started again");
            }
            else
            {
                Report(FindingKind.Unvouched, stream, from, $"{message}, though its term has ended: it was put in, or the writer's checkpoints were cut off");
            }
        }

        return unvouched;
    }

    private IEnumerable<StreamHead> Heads()
    {
        var newest = _terms.Where(static term => term.IsPresent).GroupBy(static term => term.Writer, StringComparer.Ordinal).Select(static terms => terms.MaxBy(static term => term.Term)!.Stream);
        foreach (var stream in newest.Concat(_retirements).Order(StringComparer.Ordinal))
        {
            var state = _streams[Hash256.KeyOf(stream)];
            yield return new StreamHead(stream, state.Length, state.Head.ToString());
        }
    }
}
