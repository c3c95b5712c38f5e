using System.Runtime.InteropServices;
using Parallax.Runtime.Execution;

namespace Parallax.Pipeline.Stages;

internal sealed partial class StageLoop
{
    private readonly List<StepPart> _parts = [];
    private float[] _hidden = [];
    private float[] _logits = [];
    private byte[] _row = [];

    public override bool Step(TimeSpan now)
    {
        Flush();
        if (_isHead)
        {
            ExtendFromCache();
        }

        var elsewhere = ChooseDecodes(now);
        PlanStep(othersDecode: elsewhere);
        FillBatch();
        if (_parts.Count > 0)
        {
            Launch(now);
            Compute();
        }

        Flush();
        PublishGauges();
        return _parts.Count > 0;
    }

    private void FillBatch()
    {
        Batch.Clear();
        _parts.Clear();
        AdmitPlanned();
        foreach (var (index, count) in Plan.Slices)
        {
            var session = Table.Sessions[index];
            var start = session.Sequence.Length;
            if (!TryReserveOutputs(session, start, count))
            {
                continue; // until the next hop has acknowledged something
            }

            if (!Cache.TryReserve(session.Sequence, start + count))
            {
                throw new InvalidOperationException($"the plan gave session {session.Id} {count} positions at {start}, but their KV blocks cannot be had");
            }

            var samples = _isTail && !session.IsStandby && start <= session.KnownIds - 1 && start + count >= session.KnownIds;
            AddPart(session, start, count, session.Inbox, isRebuild: false, samples);
        }

        AddRebuilds();
    }

    /// <summary>Rows whose outputs the next hop needs again: from ids at the head, from rows that came elsewhere.</summary>
    private void AddRebuilds()
    {
        if (_isTail)
        {
            return;
        }

        var budget = Math.Max(0, Options.MixedPrefillTokens - Plan.PrefillRows);
        for (var i = 0; i < Table.Sessions.Count && budget > 0; i++)
        {
            var session = Table.Sessions[i];
            var (start, count) = NextRebuild(session);
            count = Math.Min(count, budget);
            if (count == 0)
            {
                continue;
            }

            if (start + count > session.Sequence.Length || !Cache.HoldsWindowsAt(session.Sequence, start))
            {
                // What these positions attend to has left the window: the whole session is computed again, but not while
                // rows of it are in the step at hand, whose blocks must stay.
                if (_parts.Exists(part => part.Session == session))
                {
                    continue;
                }

                Preempt(session);
                session.MayMatch = false;
                continue;
            }

            if (TryReserveOutputs(session, start, count))
            {
                AddPart(session, start, count, session.Rebuilds, isRebuild: true, samples: false);
                budget -= count;
            }
        }
    }

    private (int Start, int Count) NextRebuild(StageSession session)
    {
        if (!session.IsRunning)
        {
            return default;
        }

        if (!_isHead)
        {
            return session.Rebuilds.FirstRun is var waiting and > 0 ? (session.Rebuilds.First, waiting) : default;
        }

        var missing = MissingOf(session).Ranges;
        return missing.IsEmpty ? default : (missing[0].Start, missing[0].Count);
    }

    private void AddPart(StageSession session, int start, int count, RowInbox inbox, bool isRebuild, bool samples)
    {
        var firstRow = Batch.RowCount;
        Batch.Add(session.IdsAt(start, count), start, session.Sequence.Tables, wantLastLogits: samples);
        EnsureRows(Batch.RowCount);
        if (!_isHead)
        {
            inbox.Take(count, _width, _rowType, _hidden.AsSpan(firstRow * _width, count * _width));
        }

        _parts.Add(new StepPart(session, start, count, firstRow, isRebuild, samples));
    }

    /// <summary>Room for the outputs, so that nothing that was computed is lost; other sessions give way where they can.</summary>
    private bool TryReserveOutputs(StageSession session, int start, int count)
    {
        if (session.IsStandby)
        {
            return true; // it keeps none
        }

        var (first, outputs) = _isTail ? (session.KnownIds, 1) : (start, count);
        while (!session.Journal.TryReserve(session.Sender, first, outputs))
        {
            if (session.Journal.AwaitsSpill || !TryReclaimJournal(session))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Drops outputs of another session that its next hop has acknowledged; they can be rebuilt if that hop is lost.</summary>
    private bool TryReclaimJournal(StageSession requester)
    {
        StageSession? largest = null;
        foreach (var other in Table.Sessions)
        {
            if (other != requester && other.Journal.Bytes > (largest?.Journal.Bytes ?? 0))
            {
                largest = other;
            }
        }

        if (largest is not null && largest.Journal.TryDropOldest(largest.Sender))
        {
            return true;
        }

        foreach (var other in Table.Sessions)
        {
            if (other != requester && other.Journal.TryDropOldest(other.Sender))
            {
                return true;
            }
        }

        return false;
    }

    private void Compute()
    {
        var vocabulary = Info.VocabularySize;
        var size = checked(Batch.LogitRows.Count * vocabulary);
        if (_logits.Length < size)
        {
            _logits = new float[size];
        }

        try
        {
            Shard.Forward(Batch, _hidden.AsSpan(0, Batch.RowCount * _width), _logits.AsSpan(0, size));
        }
        catch (Exception e)
        {
            FailStep(e, _parts.Select(static part => part.Session).Where(static session => session.State != SessionState.Ended).Distinct().ToArray());
            return;
        }

        // What comes next has to come over a link first: the cores are better used to bring it.
        Shard.Rest();
        OnStepped();
        var logitRow = 0;
        foreach (ref readonly var part in CollectionsMarshal.AsSpan(_parts))
        {
            var logits = part.Samples ? _logits.AsSpan(logitRow++ * vocabulary, vocabulary) : default;
            if (part.Session.State == SessionState.Ended)
            {
                continue; // another part of this step ended it
            }

            if (!_isTail && (!part.Session.IsStandby || Outputs is not null))
            {
                KeepOutputs(part);
            }

            if (part.IsRebuild)
            {
                Counters.AddRecomputed(part.Count);
                if (!_isHead)
                {
                    part.Session.Receiver.Rebuilt(part.Start, part.Count);
                }
            }
            else if (!TakeRows(part, logits))
            {
                continue;
            }

            Unsettle(part.Session);
        }
    }

    private void KeepOutputs(in StepPart part)
    {
        var session = part.Session;
        if (_row.Length < _rowBytes)
        {
            _row = new byte[_rowBytes];
        }

        var row = _row.AsSpan(0, _rowBytes);
        var ids = session.IdsAt(part.Start, part.Count);
        for (var i = 0; i < part.Count; i++)
        {
            RowCodec.Encode(_hidden.AsSpan((part.FirstRow + i) * _width, _width), _width, _rowType, row);
            KeepBesideKv(session, part.Start + i, row, part.IsRebuild);
            if (session.IsStandby)
            {
                continue; // nothing is sent on
            }

            if (!session.Journal.TryPut(session.Sender, part.Start + i, ids[i], row))
            {
                throw new InvalidOperationException($"the journal of session {session.Id} had reserved position {part.Start + i}");
            }

            session.NoteOutput(part.Start + i);
        }
    }

    /// <summary>Rows that extend the session's KV: commit, acknowledge, sample; false when that ended the session.</summary>
    private bool TakeRows(in StepPart part, Span<float> logits)
    {
        var session = part.Session;
        Table.Charge(session, part.Count);
        NoteComputed(session, part.Start, part.Count);
        if (part.Samples && !CheckLogits(session, logits, session.KnownIds - session.PromptLength))
        {
            return false;
        }

        Cache.Commit(session.Sequence, session.TokenIds, part.Start + part.Count);
        if (!_isHead)
        {
            var acknowledgement = session.Receiver.Computed(part.Count);
            Acknowledge(session, acknowledgement, part.Count, atOnce: part.Count > 1);
        }

        if (part.Start + part.Count > session.SampleFrom)
        {
            session.State = SessionState.Decoding;
        }

        return !part.Samples || Sample(session, logits);
    }

    private bool Sample(StageSession session, Span<float> logits)
    {
        var index = session.KnownIds - session.PromptLength;
        if (!TryDraw(session, logits, index, out var choice))
        {
            return false;
        }

        Span<byte> row = stackalloc byte[session.Journal.RowBytes];
        TokenRows.Write(choice, row);
        if (!session.Journal.TryPut(session.Sender, session.KnownIds, choice.TokenId, row))
        {
            throw new InvalidOperationException($"the journal of session {session.Id} had reserved token {index}");
        }

        session.NoteOutput(session.KnownIds);

        if (session.HasRoomFor(session.KnownIds, 1))
        {
            session.NoteSampled(choice.TokenId);
        }

        return true;
    }

    private void EnsureRows(int rows)
    {
        if (_hidden.Length < rows * _width)
        {
            Array.Resize(ref _hidden, Math.Max(rows * _width, _hidden.Length * 2));
        }
    }

    /// <summary>Consecutive rows of one session in the step at hand.</summary>
    private readonly record struct StepPart(StageSession Session, int Start, int Count, int FirstRow, bool IsRebuild, bool Samples);
}
