using System.Diagnostics;
using Parallax.Runtime.Execution;
using Parallax.Transport.Buffers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.Pipeline.Stages;

internal sealed partial class StageLoop
{
    private readonly PositionRange[] _want = new PositionRange[FrameLimits.MaxWantIntervals];

    public override void Receive(in Command command)
    {
        var wire = (IStageWire)command.Link!;
        var peer = PeerOf(wire.PeerId);
        switch (command.Kind)
        {
            case CommandKind.LinkUp:
                OnLinkUp(peer, wire, command.Number);
                break;
            case CommandKind.LinkDown:
                OnLinkDown(peer, command.Number);
                break;
            case CommandKind.LinkRoom:
                peer.Retry(command.Number);
                SettleAll(peer);
                break;
            case CommandKind.Frame:
                using (var frame = (TensorBuffer)command.Content!)
                {
                    OnFrame(peer, command.Number, frame, UnpackHeader(command.Value, frame.Length));
                }

                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>What the loop needs of a checked header, as a number that a command can carry.</summary>
    internal static int PackHeader(in FrameHeader header) => ((int)header.Type << 16) | header.HeaderLength;

    private static FrameHeader UnpackHeader(int packed, int frameLength)
    {
        var headerLength = packed & 0xFFFF;
        return new FrameHeader { Type = (FrameType)(packed >> 16), HeaderLength = headerLength, BodyLength = frameLength - headerLength };
    }

    private void OnLinkUp(StagePeer peer, IStageWire wire, long generation)
    {
        if (generation <= peer.Generation)
        {
            return;
        }

        peer.Up(wire, generation);
        foreach (var session in Table.Sessions)
        {
            if (session.Next == peer)
            {
                session.InFlightBytes = 0;
                session.Sender.Connected(generation);
            }

            session.Mirrors.ForEach(mirror => mirror.OnLinkUp(peer));
            if (session.Previous == peer)
            {
                session.Previous.Say(session.Receiver.Connected(generation), session.Receiver.StateWant);
            }
        }
    }

    private void OnLinkDown(StagePeer peer, long generation)
    {
        if (!peer.Down(generation))
        {
            return;
        }

        foreach (var session in Table.Sessions)
        {
            if (session.Next == peer)
            {
                session.InFlightBytes = 0;
                session.Sender.Disconnected();
                ReportLoss(session, isUnknown: false);
            }

            session.Mirrors.ForEach(mirror => mirror.OnLinkDown(peer));
            if (session.Previous == peer)
            {
                session.Receiver.Disconnected();
            }
        }
    }

    private void OnFrame(StagePeer peer, long generation, TensorBuffer frame, in FrameHeader header)
    {
        if (header.Type == FrameType.Rows)
        {
            var rows = new RowFrameReader(frame.Span, header);
            while (rows.MoveNext())
            {
                if (rows.Refusal != FrameRefusal.None)
                {
                    peer.Refuse(generation, rows.Refusal);
                    continue;
                }

                OnRun(peer, generation, frame, rows.Current);
            }
        }
        else
        {
            var messages = new FlowFrameReader(frame.Span, header, _want);
            while (messages.MoveNext())
            {
                if (messages.Refusal != FrameRefusal.None)
                {
                    peer.Refuse(generation, messages.Refusal);
                    continue;
                }

                OnMessage(peer, generation, messages.Current, messages.Want);
            }
        }
    }

    private void OnRun(StagePeer peer, long generation, TensorBuffer frame, in RowRunView run)
    {
        if (Table.Find(run.Head.Session) is not { } session)
        {
            if (!_neighbours.IsElsewhere(run.Head.Session))
            {
                peer.Say(peer.Unknown.OnRun(generation, run.Head), default);
            }

            return;
        }

        if (session.Previous != peer)
        {
            // The path no longer leads from there to here: whoever still sends is told so, once, and stops.
            peer.Say(peer.Unknown.OnRun(generation, run.Head), default);
            return;
        }

        if (FindFault(session, run) is var fault and not FrameRefusal.None)
        {
            peer.Refuse(generation, fault);
            return;
        }

        var decision = session.Receiver.OnRun(generation, run.Head);
        session.Previous.Say(decision.Reply, session.Receiver.StateWant);
        switch (decision.Action)
        {
            case RunAction.Compute when _isHead:
                AdoptTokens(session, run, decision);
                break;
            case RunAction.Compute:
                Accept(session, generation, frame, run, decision);
                break;
            case RunAction.Rebuild:
                session.Rebuilds.Add(frame, RowsOf(run, decision), decision.First, decision.Count);
                break;
            case RunAction.Refuse:
                peer.Refuse(generation, FrameRefusal.UnknownKind);
                break;
            default:
                break;
        }
    }

    /// <summary>What is wrong with a run that came for a session, apart from its place in the flow.</summary>
    private FrameRefusal FindFault(StageSession session, in RowRunView run)
    {
        var head = run.Head;
        if (!session.HasRoomFor(head.First, head.Count))
        {
            return FrameRefusal.BadPosition;
        }

        var (type, width) = _isHead
            ? (TokenRows.TypeOf(session.Request.Sampling), TokenRows.PairsOf(session.Request.Sampling))
            : (_rowType, _width);
        if (head.Type != type || head.Width != width)
        {
            return FrameRefusal.BadTensor;
        }

        foreach (var id in run.TokenIds)
        {
            if ((uint)id >= (uint)Info.VocabularySize)
            {
                return FrameRefusal.BadValue;
            }
        }

        return FrameRefusal.None;
    }

    private static ReadOnlySpan<byte> RowsOf(in RowRunView run, in RunDecision decision) =>
        run.Payload.Slice((decision.First - run.Head.First) * run.Head.RowBytes, decision.Count * run.Head.RowBytes);

    private void Accept(StageSession session, long generation, TensorBuffer frame, in RowRunView run, in RunDecision decision)
    {
        if (!session.TryNoteIds(decision.First, run.TokenIds.Slice(decision.First - run.Head.First, decision.Count)))
        {
            // Computed over it, the stage's KV would be another text's.
            session.Previous.Refuse(generation, FrameRefusal.BadValue);
            End(session, FinishReason.Error, $"rows from position {decision.First} on carry other token ids than this stage knows");
            return;
        }

        session.Inbox.Add(frame, RowsOf(run, decision), decision.First, decision.Count);
        session.FollowReceiver();
    }

    private void OnMessage(StagePeer peer, long generation, in FlowMessage message, ReadOnlySpan<PositionRange> want)
    {
        if (Table.Find(message.Session) is not { } session)
        {
            return; // it has ended here; who still speaks of it will hear of that over control
        }

        if (session.Next != peer)
        {
            OnMirrorMessage(session, peer, generation, message, want);
            return;
        }

        if (session.Sender.OnMessage(generation, message, want) == SenderEvent.StageLost)
        {
            ReportLoss(session, isUnknown: true);
            return;
        }

        Unsettle(session);
        if (peer.IsThrottled)
        {
            CountInFlight(session);
            if (peer.InFlightBytes <= _stage.LinkWindowBytes / 2)
            {
                peer.IsThrottled = false;
                SettleAll(peer);
            }
        }
    }

    /// <summary>A standby says where it is; what nobody speaks for any more is of a path that has changed.</summary>
    private void OnMirrorMessage(StageSession session, StagePeer peer, long generation, in FlowMessage message, ReadOnlySpan<PositionRange> want)
    {
        if (session.Mirrors.Find(mirror => mirror.Peer == peer) is { } mirror)
        {
            if (mirror.Sender.OnMessage(generation, message, want) == SenderEvent.StageLost)
            {
                session.Mirrors.Remove(mirror);
            }

            Unsettle(session);
        }
    }

    /// <summary>
    /// The router hears that the next stage is out of reach and finds another way (rule 4); the session waits, the batch goes
    /// on. A session that is fenced or not started yet has nothing to miss.
    /// </summary>
    private static void ReportLoss(StageSession session, bool isUnknown)
    {
        if (session.IsRunning || session.State == SessionState.Waiting)
        {
            session.Sink.OnStageLost(new StageLoss(session.Id, session.Epoch, session.Next.Id, isUnknown));
        }
    }

    /// <summary>The head takes what the tail has sampled.</summary>
    private void AdoptTokens(StageSession session, in RowRunView run, in RunDecision decision)
    {
        ReturnGroup(session, decision.Count);
        for (var i = 0; i < decision.Count; i++)
        {
            var index = decision.First - run.Head.First + i;
            session.ReadySince = ++_readyCount;
            if (!Adopt(session, TokenRows.Read(run.TokenIds[index], run.Row(index))))
            {
                return;
            }

            if (session.IsStandby)
            {
                session.Acknowledge(session.TokenCount); // the router has them from the head that it stands by for
            }

            Acknowledge(session, session.Receiver.Computed(1), rows: 1, atOnce: false);
        }
    }
}
