using Parallax.Runtime.Execution;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.Pipeline.Stages;

internal sealed partial class StageLoop
{
    /// <summary>
    /// Decode rows are acknowledged this many at a time: the previous hop needs to know only for its memory, and a frame
    /// for each token and hop would cost as much as the row itself.
    /// </summary>
    private const int AcknowledgeEvery = 16;

    private readonly List<StageSession> _unsettled = [];

    /// <summary>The session's hops may have something to say or to send: the next <see cref="SettleDue"/> looks.</summary>
    private void Unsettle(StageSession session)
    {
        if (!session.IsUnsettled)
        {
            session.IsUnsettled = true;
            _unsettled.Add(session);
        }
    }

    private void SettleDue()
    {
        // By index: what settles one session unsettles no other.
        var waiting = 0;
        for (var i = 0; i < _unsettled.Count; i++)
        {
            var session = _unsettled[i];
            session.IsUnsettled = session.State != SessionState.Ended && !TrySettle(session);
            if (session.IsUnsettled)
            {
                _unsettled[waiting++] = session;
            }
        }

        _unsettled.RemoveRange(waiting, _unsettled.Count - waiting);
    }

    private void SettleAll(StagePeer peer)
    {
        foreach (var session in Table.Sessions)
        {
            if (session.Next == peer)
            {
                Unsettle(session);
            }
        }
    }

    /// <summary>
    /// Says what is needed from upstream, and sends what the next hop lacks, as far as there is room; false when rows have
    /// to come back from the journal's file first, which wakes the loop.
    /// </summary>
    private bool TrySettle(StageSession session)
    {
        var (sender, isWaiting) = (session.Sender, !TryFillJournal(session));
        if (!_isHead && !_isTail)
        {
            session.Previous.Say(session.Receiver.Need(MissingOf(session)), session.Receiver.StateWant);
        }

        while (sender.TryNext(FrameLimits.MaxRows, out var run))
        {
            var priority = run.Kind switch
            {
                RowKind.Token => FramePriority.Control,
                // Not before the prompt's rows have arrived: it would overtake those that still wait, and the next hop drops
                // what comes over a gap.
                RowKind.Forward when run.First >= run.SampleFrom && sender.Acknowledged >= run.SampleFrom => FramePriority.Decode,
                _ => FramePriority.Prefill,
            };
            if (!session.Next.HasRoom(priority))
            {
                break;
            }

            if (priority == FramePriority.Prefill && session.Next.InFlightBytes >= _stage.LinkWindowBytes)
            {
                session.Next.IsThrottled = true;
                break;
            }

            if (!TryForward(session, session.Next, sender, run, priority))
            {
                isWaiting = true;
                break;
            }

            CountInFlight(session);
        }

        CountInFlight(session);
        for (var i = session.Mirrors.Count - 1; i >= 0; i--)
        {
            if (!TrySettle(session, session.Mirrors[i]))
            {
                session.Mirrors.RemoveAt(i);
            }
        }

        return !isWaiting;
    }

    /// <summary>Sends a standby what it lacks, as far as there is room; false when the journal does not have it at hand.</summary>
    private bool TrySettle(StageSession session, StageMirror mirror)
    {
        while (mirror.Peer.HasRoom(FramePriority.Prefill) && mirror.Sender.TryNext(FrameLimits.MaxRows, out var run))
        {
            if (!TryForward(session, mirror.Peer, mirror.Sender, run, FramePriority.Prefill))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Hands rows of the journal to a neighbour's frame, as many as fit; false when the journal does not have them at hand.</summary>
    private bool TryForward(StageSession session, StagePeer peer, HopSender sender, in SendRun run, FramePriority priority)
    {
        var rows = session.Journal.Read(session.Sender, run.First, run.Count);
        if (rows.Count == 0)
        {
            return false;
        }

        var (type, width) = _isTail
            ? (TokenRows.TypeOf(session.Request.Sampling), TokenRows.PairsOf(session.Request.Sampling))
            : (_rowType, _width);
        var taken = peer.Append(
            new RowRun(session.Id, run.Epoch, run.Incarnation, run.Kind, run.First, rows.Count, type, width),
            rows.TokenIds,
            run.SampleFrom,
            rows.Payload,
            priority);
        if (taken > 0)
        {
            sender.Sent(run with { Count = taken });
        }

        return true;
    }

    /// <summary>
    /// Keeps the sum of prefill bytes on their way to the next hop. What may be unacknowledged for laziness alone does
    /// not count.
    /// </summary>
    private static void CountInFlight(StageSession session)
    {
        var sender = session.Sender;
        var rows = Math.Max(0, sender.Cursor - sender.Acknowledged - AcknowledgeEvery);
        var bytes = sender.Phase == HopPhase.Running && session.Next.Generation != 0 ? rows * (long)session.Journal.RowBytes : 0;
        session.Next.InFlightBytes += bytes - session.InFlightBytes;
        session.InFlightBytes = bytes;
    }

    /// <summary>Tells the previous hop how far this stage is, if it is time to.</summary>
    private static void Acknowledge(StageSession session, in FlowMessage acknowledgement, int rows, bool atOnce)
    {
        session.UnacknowledgedRows += rows;
        if (atOnce || session.UnacknowledgedRows >= AcknowledgeEvery)
        {
            session.UnacknowledgedRows = 0;
            session.Previous.Say(acknowledgement, default);
        }
    }

    private void Flush()
    {
        SettleDue();
        foreach (var peer in _peers.Values)
        {
            peer.Flush();
        }
    }
}
