using Parallax.Router.Sessions;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Failover.Exploration;

/// <content>A worker's engine: what SessionLoop and StageLoop do around a <see cref="StageFlow"/>.</content>
internal sealed partial class World
{
    private const int RunAhead = 32;
    private const int WindowSlack = 0;
    private const int BlockTokens = 16;

    private void OpenEngine(int worker, int session, ModelHeld held, ControlMessage open, int cached)
    {
        held.DropEngine();
        held.Path = open.Path;
        held.Place = open.Place;
        held.Epoch = open.Epoch;
        held.Ids = new int[Settings.Known];
        Reference.PromptOf(Settings, session).CopyTo(held.Ids, 0);
        open.Ids.CopyTo(held.Ids, Settings.Prompt);
        held.RequestIds = open.Ids;
        held.KnownIds = held.TokenCount = held.Acknowledged = Settings.Prompt + open.Ids.Length;
        held.Kv = new int[held.Range.Count][];
        for (var layer = 0; layer < held.Kv.Length; layer++)
        {
            held.Kv[layer] = new int[Settings.Known];
        }

        cached = Math.Min(cached, (held.TokenCount - 1) / BlockTokens * BlockTokens);
        if (cached > 0)
        {
            var kept = Reference.KeptOf(Settings, held.Ids.AsSpan(0, cached));
            for (var layer = 0; layer < held.Kv.Length; layer++)
            {
                kept[held.Range.Start + layer].CopyTo(held.Kv[layer], 0);
            }
        }

        held.Length = held.CachedPrefix = cached;
        held.Sampler = Restore(held);
        held.Flow = new StageFlow(
            ModelNames.Session(session),
            IncarnationOf(worker, Worker(worker).Incarnation),
            open.Epoch,
            held.IsHead,
            held.IsTail,
            held.IsHead ? held.KnownIds : held.Length,
            Settings.WindowRows,
            Settings.Hop);
        FollowReceiver(held);
        ConnectHops(worker, held, receiver: true, sender: true);
    }

    private void ConnectHops(int worker, ModelHeld held, bool receiver, bool sender)
    {
        if (receiver && Worker(worker).Generations[held.Previous] is var from and > 0)
        {
            held.Flow!.Receiver.Connected(from);
        }

        if (sender && Worker(worker).Generations[held.Next] is var to and > 0)
        {
            held.Flow!.Sender.Connected(to);
        }
    }

    /// <summary>SessionLoop.Fence and StageSession.FenceHops.</summary>
    private void FenceEngine(int worker, ModelHeld held, ControlMessage open)
    {
        var flow = held.Flow!;
        var (previous, next) = (held.Previous, held.Next);
        flow.Fence(open.Epoch);
        DropRows(held);
        held.UnacknowledgedRows = 0;
        (held.Path, held.Place) = (open.Path, open.Place);
        if (held.Previous != previous)
        {
            flow.Receiver.Disconnected();
        }

        if (held.Next != next)
        {
            flow.Sender.Disconnected();
        }

        ConnectHops(worker, held, held.Previous != previous, held.Next != next);
        FollowReceiver(held);
        held.Epoch = open.Epoch;
        held.RequestIds = open.Ids;
        (held.IsFenced, held.IsStarted, held.IsRunning) = (true, false, false);
        held.CachedPrefix = held.Length;
    }

    /// <summary>SessionLoop.TryTakeIn and StageLoop.OnRestored: whole blocks of what is known come while the session is fenced.</summary>
    private void RestoreBlocks(int worker, int session, ModelHeld held, int cached)
    {
        var known = Settings.Prompt + held.RequestIds.Length;
        var end = Math.Min(cached, (known - 1) / BlockTokens * BlockTokens);
        if (end <= held.Length)
        {
            return;
        }

        int[] ids = [.. Reference.PromptOf(Settings, session), .. held.RequestIds];
        var kept = Reference.KeptOf(Settings, ids.AsSpan(0, end));
        for (var layer = 0; layer < held.Kv.Length; layer++)
        {
            kept[held.Range.Start + layer].CopyTo(held.Kv[layer], 0);
        }

        (held.Length, held.LowestHeld) = (end, 0);
        held.Flow!.Restored(held.Length);
        FollowReceiver(held);
        held.CachedPrefix = held.Length;
        Note($"w{worker} gets {end} positions of session {session} from the KV cache");
    }

    /// <summary>SessionLoop.Start and StageLoop.OnStarted.</summary>
    private void StartEngine(int worker, int session, ModelHeld held, ControlMessage start)
    {
        if (held.Flow is not { } flow || held.IsStarted || held.Epoch != start.Epoch)
        {
            return;
        }

        var known = Settings.Prompt + held.RequestIds.Length + start.Ids.Length;
        var isResume = held.IsFenced || held.Epoch.N > 0 || known > Settings.Prompt;
        if (start.Keep < 0 || (isResume ? start.Keep >= known && Settings.Session.HasFlag(SessionRules.LastPositionRunsAgain) : start.Keep > held.CachedPrefix || start.Keep % BlockTokens != 0))
        {
            EndHeld(held, ModelEnd.Error);
            Violate($"w{worker} is asked to keep {start.Keep} of {held.CachedPrefix} positions of session {session}");
            return;
        }

        if (known - Settings.Prompt >= Settings.Answer)
        {
            EndHeld(held, ModelEnd.Error);
            Violate($"w{worker} is asked to resume session {session}, whose answer is complete");
            return;
        }

        held.RequestIds.CopyTo(held.Ids, Settings.Prompt);
        start.Ids.CopyTo(held.Ids, Settings.Prompt + held.RequestIds.Length);
        held.KnownIds = held.TokenCount = held.Acknowledged = known;
        if (isResume)
        {
            held.Sampler = Has(ShellRules.SamplerRestored) ? Restore(held) : held.Sampler;
        }

        TruncateKv(held, start.Keep);
        var kept = flow.KeptOutputs(start.Keep, held.KnownIds);
        held.Journal = held.Journal.RemoveRange(held.Journal.Keys.Where(position => position >= kept));
        var state = flow.Resume(held.Epoch, start.Keep, held.Length, held.KnownIds, start.NextIncarnation);
        Note($"w{worker} resumes with {held.Length} positions");
        if (Has(ShellRules.ReportsMissingLink) && Worker(worker).Generations[held.Next] == 0)
        {
            (held.Loss, held.IsLossUnknown) = (held.Next, false);
        }

        Say(worker, held.Previous, state, flow.Receiver.StateWant);
        FollowReceiver(held);
        held.IsUnsettled = true;
        held.IsStarted = true;
    }

    private int Restore(ModelHeld held)
    {
        var sampler = ToyModel.NewSampler;
        for (var i = Settings.Prompt; i < held.KnownIds; i++)
        {
            sampler = ToyModel.Append(sampler, held.Ids[i]);
        }

        return sampler;
    }

    /// <summary>PagedKvCache.Truncate: who does not hold what `keep` attends to begins anew.</summary>
    private void TruncateKv(ModelHeld held, int keep)
    {
        if (keep >= held.Length)
        {
            return;
        }

        if (HoldsWindowAt(held, keep) || !Has(ShellRules.WindowIsNoticed))
        {
            held.Length = keep;
            return;
        }

        ReleaseKv(held);
    }

    private bool HoldsWindowAt(ModelHeld held, int position) =>
        Settings.Window == 0 || held.LowestHeld <= Math.Max(0, position + 1 - Settings.Window);

    private static void ReleaseKv(ModelHeld held) => held.Length = held.LowestHeld = 0;

    private static void DropRows(ModelHeld held)
    {
        held.Inbox = [];
        held.Rebuilds = [];
    }

    private static void FollowReceiver(ModelHeld held)
    {
        if (!held.IsHead)
        {
            held.TokenCount = held.Flow!.Receiver.Accepted;
        }
    }

    /// <summary>StageLoop.Preempt: the session's blocks are taken.</summary>
    private void Preempt(int worker, int session)
    {
        var held = ChangeHeld(worker, session);
        ReleaseKv(held);
        Note($"w{worker} takes session {session}'s blocks");
        if (!held.IsHead)
        {
            DropRows(held);
            held.UnacknowledgedRows = 0;
            var state = held.Flow!.Receiver.Evict();
            Say(worker, held.Previous, state, held.Flow.Receiver.StateWant);
            FollowReceiver(held);
        }

        held.IsRunning = false;
    }

    private void OnLinkMessage(int worker, int from, LinkMessage message)
    {
        switch (message.Kind)
        {
            case LinkMessageKind.Up:
                OnLinkUp(worker, from, message.Generation);
                break;
            case LinkMessageKind.Down:
                OnLinkDown(worker, from, message.Generation);
                break;
            case LinkMessageKind.Rows:
                OnRun(worker, from, message);
                break;
            default:
                OnFlowMessage(worker, from, message);
                break;
        }
    }

    private void OnLinkUp(int worker, int peer, long generation)
    {
        if (generation <= Worker(worker).Generations[peer])
        {
            return;
        }

        ChangeWorker(worker).Generations[peer] = generation;
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Held(worker, session).Flow is null)
            {
                continue;
            }

            var held = ChangeHeld(worker, session);
            if (held.Next == peer)
            {
                held.Flow!.Sender.Connected(generation);
            }

            if (held.Previous == peer)
            {
                Say(worker, peer, held.Flow!.Receiver.Connected(generation), held.Flow.Receiver.StateWant);
            }
        }
    }

    private void OnLinkDown(int worker, int peer, long generation)
    {
        if (generation != Worker(worker).Generations[peer])
        {
            return;
        }

        ChangeWorker(worker).Generations[peer] = 0;
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Held(worker, session).Flow is null)
            {
                continue;
            }

            var held = ChangeHeld(worker, session);
            if (held.Next == peer)
            {
                held.Flow!.Sender.Disconnected();
                ReportLoss(held, isUnknown: false);
            }

            if (held.Previous == peer)
            {
                held.Flow!.Receiver.Disconnected();
            }

            Speak(worker, session);
        }
    }

    private static void ReportLoss(ModelHeld held, bool isUnknown)
    {
        if (held.IsStarted && held.Epoch == held.ControlEpoch)
        {
            (held.Loss, held.IsLossUnknown) = (held.Next, isUnknown);
        }
    }

    private void OnRun(int worker, int from, LinkMessage message)
    {
        var session = message.Session;
        var held = Held(worker, session);
        if (held.Flow is null || (held.Previous != from && Has(ShellRules.PeerCheck)))
        {
            if (Has(ShellRules.AnswersUnknown))
            {
                var unknown = ChangeWorker(worker).Unknown;
                unknown[from] = unknown[from].Clone();
                Say(worker, from, unknown[from].OnRun(message.Generation, message.Run), default);
            }

            return;
        }

        held = ChangeHeld(worker, session);
        var decision = held.Flow!.Receiver.OnRun(message.Generation, message.Run);
        Say(worker, from, decision.Reply, held.Flow.Receiver.StateWant);
        var offset = decision.First - message.Run.First;
        switch (decision.Action)
        {
            case RunAction.Compute when held.IsHead:
                Adopt(worker, held, message, offset, decision.Count);
                break;
            case RunAction.Compute:
                Accept(worker, session, held, message, offset, decision.Count);
                break;
            case RunAction.Rebuild:
                for (var i = offset; i < offset + decision.Count; i++)
                {
                    held.Rebuilds = held.Rebuilds.Enqueue(new ModelRow(message.Run.First + i, message.Values[i]));
                }

                break;
            case RunAction.Refuse:
                Violate($"w{worker} refuses {message}");
                break;
            default:
                break;
        }
    }

    private void Accept(int worker, int session, ModelHeld held, LinkMessage message, int offset, int count)
    {
        for (var i = offset; i < offset + count; i++)
        {
            var position = message.Run.First + i;
            if (position > held.KnownIds || (position < held.KnownIds && held.Ids[position] != message.Ids[i]))
            {
                EndHeld(held, ModelEnd.Error);
                Violate($"w{worker} gets rows of session {session} with other ids than it knows");
                return;
            }

            held.Ids[position] = message.Ids[i];
            held.KnownIds = Math.Max(held.KnownIds, position + 1);
            held.Inbox = held.Inbox.Enqueue(new ModelRow(position, message.Values[i]));
        }

        FollowReceiver(held);
    }

    /// <summary>The head takes what the tail has sampled.</summary>
    private void Adopt(int worker, ModelHeld held, LinkMessage message, int offset, int count)
    {
        for (var i = offset; i < offset + count; i++)
        {
            held.Ids[held.TokenCount++] = message.Ids[i];
            held.KnownIds = held.TokenCount;
            held.AnswerIds = held.AnswerIds.Add(message.Ids[i]);
            Note($"w{worker} adopts token {held.TokenCount - 1 - Settings.Prompt}");
            if (held.TokenCount == Settings.Known)
            {
                EndHeld(held, ModelEnd.Length);
                return;
            }

            Acknowledge(worker, held, held.Flow!.Receiver.Computed(1), 1, atOnce: false);
        }
    }

    private void OnFlowMessage(int worker, int from, LinkMessage message)
    {
        if (Held(worker, message.Session).Flow is null || Held(worker, message.Session).Next != from)
        {
            return;
        }

        var held = ChangeHeld(worker, message.Session);
        if (held.Flow!.Sender.OnMessage(message.Generation, message.Flow, message.Want.AsSpan()) == SenderEvent.StageLost)
        {
            ReportLoss(held, isUnknown: true);
            Speak(worker, message.Session);
            return;
        }

        held.IsUnsettled = true;
    }

    private void Acknowledge(int worker, ModelHeld held, in FlowMessage acknowledgement, int rows, bool atOnce)
    {
        held.UnacknowledgedRows += rows;
        if (atOnce || held.UnacknowledgedRows >= Settings.AcknowledgeEvery)
        {
            held.UnacknowledgedRows = 0;
            Say(worker, held.Previous, acknowledgement, default);
        }
    }

    private void Say(int worker, int to, in FlowMessage message, ReadOnlySpan<PositionRange> want)
    {
        if (message.Kind == FlowMessageKind.None || Worker(worker).Generations[to] is not (var generation and > 0))
        {
            return;
        }

        Send(worker, to, new LinkMessage(LinkMessageKind.Flow, generation)
        {
            Flow = message,
            Want = message.Kind == FlowMessageKind.State ? [.. want] : [],
        });
    }

    private void Send(int worker, int to, LinkMessage message)
    {
        Note($"w{worker} sends to w{to}: {message}");
        if (Link(worker, to).Generation != message.Generation)
        {
            return; // that connection is gone
        }

        var queues = ChangeLink(worker, to).Queues;
        var direction = worker < to ? 0 : 1;
        queues[direction] = queues[direction].Add(message);
        if (queues[direction].Length > 4 * Settings.LinkCapacity)
        {
            Violate($"more than {4 * Settings.LinkCapacity} messages wait between w{worker} and w{to}");
        }
    }

    /// <summary>Whether a worker's loop has anything to do besides what comes.</summary>
    private bool HasWork(int worker)
    {
        for (var session = 0; session < Settings.Sessions; session++)
        {
            var held = Held(worker, session);
            if (held.Flow is not null
                && (held.IsUnsettled || NextRebuild(held).Count > 0 || (Computable(held) is var count and > 0 && CouldMakeRoom(worker, session, count))))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The loop runs until it has nothing to do.</summary>
    private void RunLoop(int worker)
    {
        for (var steps = 0; LoopStep(worker); steps++)
        {
            if (steps > 1000)
            {
                Violate($"w{worker} computes without end");
                return;
            }
        }
    }

    private bool LoopStep(int worker)
    {
        SettleDue(worker);
        var any = ComputeStep(worker);
        SettleDue(worker);
        for (var session = 0; session < Settings.Sessions; session++)
        {
            Speak(worker, session);
        }

        return any;
    }

    private void SettleDue(int worker)
    {
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Held(worker, session) is { Flow: not null, IsUnsettled: true })
            {
                var held = ChangeHeld(worker, session);
                held.IsUnsettled = false;
                Settle(worker, session, held);
            }
        }
    }

    /// <summary>StageLoop.Settle: says what is needed from upstream, and sends what the next hop lacks.</summary>
    private void Settle(int worker, int session, ModelHeld held)
    {
        var flow = held.Flow!;
        Say(worker, held.Previous, flow.Need(), flow.Receiver.StateWant);
        while (flow.Sender.TryNext(Settings.RowsPerFrame, out var run))
        {
            if (!HasRoom(worker, held.Next))
            {
                return;
            }

            var outputs = new ModelOutput[run.Count];
            for (var i = 0; i < run.Count; i++)
            {
                outputs[i] = held.Journal[run.First + i];
            }

            var hasArrived = flow.Sender.Acknowledged >= run.SampleFrom || !Has(ShellRules.RowsStayInOrder);
            var lane = run.Kind == RowKind.Token ? 0 : run.Kind == RowKind.Forward && run.First >= run.SampleFrom && hasArrived ? 1 : 2;
            var type = run.Kind == RowKind.Token ? TensorType.None : TensorType.F32;
            Send(worker, held.Next, new LinkMessage(LinkMessageKind.Rows, run.Generation)
            {
                Run = new RowRun(ModelNames.Session(session), run.Epoch, run.Incarnation, run.Kind, run.First, run.Count, type, 1),
                Ids = [.. outputs.Select(static output => output.Id)],
                Values = [.. outputs.Select(static output => output.Value)],
                Lane = lane,
            });
            flow.Sender.Sent(run);
        }
    }

    private bool HasRoom(int worker, int to) => Link(worker, to).Queues[worker < to ? 0 : 1].Length < Settings.LinkCapacity;

    /// <summary>The link to a peer has room again.</summary>
    private void OnRoom(int worker, int peer)
    {
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Held(worker, session) is { Flow: not null } held && held.Next == peer && held.Flow.Sender.TryNext(1, out _))
            {
                ChangeHeld(worker, session).IsUnsettled = true;
            }
        }
    }

    private static int Computable(ModelHeld held)
    {
        if (!held.IsStarted || held.Flow is null)
        {
            return 0;
        }

        if (held.IsHead)
        {
            return held.TokenCount - held.Acknowledged >= RunAhead ? 0 : Math.Min(held.Remaining, BlockTokens);
        }

        return Math.Min(Math.Min(held.Remaining, held.Inbox.Count()), BlockTokens);
    }

    private static (int Start, int Count) NextRebuild(ModelHeld held)
    {
        if (!held.IsRunning || held.IsTail || held.Flow is not { } flow)
        {
            return default;
        }

        if (!held.IsHead)
        {
            return held.Rebuilds.IsEmpty ? default : (held.Rebuilds.Peek().Position, 1);
        }

        var missing = flow.Sender.Missing(held.Length).Ranges;
        return missing.IsEmpty ? default : (missing[0].Start, missing[0].Count);
    }

    /// <summary>A step of the stage: rows of each session that has any, in order of age, then rows whose outputs are needed again.</summary>
    private bool ComputeStep(int worker)
    {
        var any = false;
        var inStep = 0;
        for (var i = 0; i < Settings.Sessions; i++)
        {
            var session = AgeAt(worker, i);
            var count = Computable(Held(worker, session));
            if (count > 0 && TryMakeRoom(worker, session, count, inStep))
            {
                Compute(worker, session, ChangeHeld(worker, session), count);
                inStep |= 1 << session;
                any = true;
            }
        }

        for (var session = 0; session < Settings.Sessions; session++)
        {
            var (start, count) = NextRebuild(Held(worker, session));
            if (count == 0)
            {
                continue;
            }

            if (start + count > Held(worker, session).Length || !HoldsWindowAt(Held(worker, session), start))
            {
                if ((inStep & (1 << session)) == 0)
                {
                    Preempt(worker, session);
                    any = true;
                }

                continue;
            }

            Rebuild(worker, ChangeHeld(worker, session), start, count);
            any = true;
        }

        return any;
    }

    /// <summary>Sessions from the oldest on, everywhere; with that rule off, every other worker has it the other way round.</summary>
    private int AgeAt(int worker, int place) =>
        Has(ShellRules.SameOrderOfAge) || worker % 2 == 0 ? place : Settings.Sessions - 1 - place;

    private bool CouldMakeRoom(int worker, int session, int count)
    {
        var used = 0;
        for (var i = 0; i < Settings.Sessions; i++)
        {
            var other = AgeAt(worker, i);
            used += Held(worker, other).Length;
            if (other == session)
            {
                break; // the younger ones give way
            }
        }

        return used + count <= Settings.Room;
    }

    private bool TryMakeRoom(int worker, int session, int count, int inStep)
    {
        while (true)
        {
            var used = 0;
            var victim = -1;
            var isYounger = false;
            for (var i = 0; i < Settings.Sessions; i++)
            {
                var other = AgeAt(worker, i);
                used += Held(worker, other).Length;
                if (isYounger && Held(worker, other).Length > 0 && (inStep & (1 << other)) == 0)
                {
                    victim = other; // the youngest of all that can give something
                }

                isYounger |= other == session;
            }

            if (used + count <= Settings.Room)
            {
                return true;
            }

            if (victim < 0)
            {
                return false;
            }

            Preempt(worker, victim);
        }
    }

    private void Compute(int worker, int session, ModelHeld held, int count)
    {
        held.IsRunning = true;
        NoteComputed(worker, session, held);
        var start = held.Length;
        for (var position = start; position < start + count; position++)
        {
            var value = TakeInput(held, position);
            for (var layer = 0; layer < held.Kv.Length; layer++)
            {
                held.Kv[layer][position] = ToyModel.Keep(held.Range.Start + layer, position, value);
                value = ToyModel.Output(held.Range.Start + layer, held.Kv[layer], position, held.Kv[layer][position], Settings.Window);
            }

            held.Length = position + 1;
            Check(worker, session, held, position);
            if (!held.IsTail)
            {
                Keep(held, position, new ModelOutput(held.Ids[position], value));
            }
            else if (position == held.KnownIds - 1)
            {
                Sample(held, value);
            }
        }

        Note($"w{worker} computes [{start},{start + count}) of session {session}");
        Slide(held);
        if (!held.IsHead)
        {
            Acknowledge(worker, held, held.Flow!.Receiver.Computed(count), count, atOnce: count > 1);
        }

        held.IsUnsettled = true;
    }

    private static int TakeInput(ModelHeld held, int position)
    {
        if (held.IsHead)
        {
            return ToyModel.Embed(held.Ids[position], position);
        }

        held.Inbox = held.Inbox.Dequeue(out var row); // in order, whatever its position: as RowInbox does
        return row.Value;
    }

    private void Sample(ModelHeld held, int value)
    {
        var id = ToyModel.Draw(value, held.Sampler, Settings.Inexact ? (int)((held.Epoch.Term * 20) + held.Epoch.N) : 0);
        Keep(held, held.KnownIds, new ModelOutput(id, 0));
        if (held.KnownIds < held.Ids.Length)
        {
            held.Ids[held.KnownIds++] = id;
            held.Sampler = ToyModel.Append(held.Sampler, id);
        }
    }

    private static void Keep(ModelHeld held, int position, ModelOutput output)
    {
        held.Journal = held.Journal.SetItem(position, output);
        held.Flow!.Sender.Produced(position, 1);
    }

    private void Slide(ModelHeld held)
    {
        if (Settings.Window == 0)
        {
            return;
        }

        held.LowestHeld = Math.Max(held.LowestHeld, held.Length - Settings.Window - WindowSlack);
        foreach (var layer in held.Kv)
        {
            Array.Clear(layer, 0, Math.Max(0, held.LowestHeld));
        }
    }

    private void Rebuild(int worker, ModelHeld held, int start, int count)
    {
        for (var position = start; position < start + count; position++)
        {
            int value;
            if (held.IsHead)
            {
                value = ToyModel.Embed(held.Ids[position], position);
            }
            else
            {
                held.Rebuilds = held.Rebuilds.Dequeue(out var row);
                value = row.Value;
            }

            for (var layer = 0; layer < held.Kv.Length; layer++)
            {
                var own = ToyModel.Keep(held.Range.Start + layer, position, value);
                value = ToyModel.Output(held.Range.Start + layer, held.Kv[layer], position, own, Settings.Window);
            }

            Keep(held, position, new ModelOutput(held.Ids[position], value));
        }

        Note($"w{worker} rebuilds outputs [{start},{start + count})");
        if (!held.IsHead)
        {
            held.Flow!.Receiver.Rebuilt(start, count);
        }

        held.IsUnsettled = true;
    }

    /// <summary>No two workers, or two lives of one, compute the same layers of a session in one epoch.</summary>
    private void NoteComputed(int worker, int session, ModelHeld held)
    {
        var incarnation = Worker(worker).Incarnation;
        var at = 0;
        foreach (var (epoch, layer, by, life) in Client(session).Computed)
        {
            var order = epoch.CompareTo(held.Epoch);
            if (order == 0 && layer == held.Range.Start)
            {
                if (by != worker || life != incarnation)
                {
                    Violate($"w{by} and w{worker} both compute layer {layer} of session {session} at {held.Epoch.Short()}");
                }

                return;
            }

            at += order < 0 || (order == 0 && layer < held.Range.Start) ? 1 : 0;
        }

        var client = ChangeClient(session);
        client.Computed = client.Computed.Insert(at, (held.Epoch, held.Range.Start, worker, incarnation));
    }

    /// <summary>In an exact class all histories are one, and what a stage keeps of a position can have one value only.</summary>
    private void Check(int worker, int session, ModelHeld held, int position)
    {
        if (Settings.Inexact)
        {
            return;
        }

        for (var layer = 0; layer < held.Kv.Length; layer++)
        {
            if (_reference.Kept[session][held.Range.Start + layer][position] != held.Kv[layer][position])
            {
                Violate($"w{worker} computes position {position} of session {session} from a wrong input");
            }
        }
    }
}
