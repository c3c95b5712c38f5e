namespace Parallax.UnitTests.Failover.Exploration;

/// <content>A worker's control service: what ControlCall and WorkerSession do with a router's messages.</content>
internal sealed partial class World
{
    private void OnRouterMessage(int router, int worker, ControlMessage message, int cached)
    {
        var session = message.Session;
        if (message.Kind == ControlKind.Open)
        {
            OnOpen(router, worker, message, cached);
            Speak(worker, session);
            return;
        }

        if (FindFor(router, worker, message) is not { } held)
        {
            return;
        }

        switch (message.Kind)
        {
            case ControlKind.Start:
                OnStart(worker, session, held, message);
                break;
            case ControlKind.Acknowledge:
                held.Acknowledged = Math.Max(held.Acknowledged, Math.Min(message.Known, held.TokenCount));
                break;
            case ControlKind.Cancel:
                if (held.Flow is not null)
                {
                    EndHeld(held, ModelEnd.Cancelled);
                }

                break;
            case ControlKind.Rejoin:
                OnRejoin(router, worker, held, message);
                break;
            default:
                throw new InvalidOperationException($"a router does not say {message.Kind}");
        }

        Speak(worker, session);
    }

    /// <summary>Whether an Open, or a Fence, would be answered with what is cached, or comes from the KV cache, by then.</summary>
    private bool LooksForBlocks(int worker, ControlMessage message)
    {
        var held = Held(worker, message.Session);
        return message.Kind == ControlKind.Open
            && (!held.IsKnown || (message.Epoch > held.ControlEpoch && (!GoesOn(held, message) || (Settings.RestoresAtFence && held.Flow is not null))));
    }

    private static bool GoesOn(ModelHeld held, ControlMessage open) =>
        (held.End == ModelEnd.None || held.IsComplete) && held.Range == open.Path[open.Place].Layers;

    private void OnOpen(int router, int worker, ControlMessage message, int cached)
    {
        var held = ChangeHeld(worker, message.Session);
        if (held.IsKnown)
        {
            if (message.Epoch == held.ControlEpoch)
            {
                Own(held, router, message.Stream);
                held.IsAnswerSent = false;
                return;
            }

            if (message.Epoch < held.ControlEpoch)
            {
                Reply(router, worker, message, new ControlMessage(ControlKind.Stale, message.Session, held.ControlEpoch));
                return;
            }

            if (GoesOn(held, message))
            {
                FenceControl(held, router, message);
                if (held.Flow is not null)
                {
                    FenceEngine(worker, held, message);
                    if (Settings.RestoresAtFence)
                    {
                        RestoreBlocks(worker, message.Session, held, cached);
                    }
                }

                Answer(held, message, held.Length);
                return;
            }

            if (held.Flow is not null)
            {
                EndHeld(held, ModelEnd.Cancelled);
            }
        }

        OpenControl(held, router, message);
        OpenEngine(worker, message.Session, held, message, cached);
        Answer(held, message, held.Length);
    }

    private static void OpenControl(ModelHeld held, int router, ControlMessage message)
    {
        held.IsKnown = true;
        held.ControlEpoch = message.Epoch;
        held.AnswerIds = message.Ids;
        held.AnswerKnown = held.Cursor = message.Ids.Length;
        (held.Answer, held.IsAnswerSent, held.End, held.IsEndSent) = (null, false, ModelEnd.None, false);
        (held.IsControlStarted, held.IsControlFenced, held.Loss, held.ToldLoss) = (false, false, -1, -1);
        Own(held, router, message.Stream);
    }

    private static void FenceControl(ModelHeld held, int router, ControlMessage message)
    {
        Own(held, router, message.Stream);
        held.ControlEpoch = message.Epoch;
        (held.Answer, held.IsAnswerSent, held.IsControlStarted, held.IsControlFenced) = (null, false, false, true);
        (held.Loss, held.ToldLoss) = (-1, -1);
        held.AnswerKnown = message.Ids.Length;
        if (held.AnswerIds.Length < message.Ids.Length)
        {
            held.AnswerIds = held.AnswerIds.AddRange(message.Ids[held.AnswerIds.Length..]);
        }
    }

    private void Answer(ModelHeld held, ControlMessage open, int applied)
    {
        var answer = new ControlMessage(ControlKind.Accepted, open.Session, held.ControlEpoch) { Applied = applied };
        if (open.Place == 0)
        {
            if (held.AnswerIds.Length > held.AnswerKnown)
            {
                answer = answer with { First = held.AnswerKnown, Ids = held.AnswerIds[held.AnswerKnown..] };
            }

            if (held.IsComplete)
            {
                answer = answer with { End = held.End, Generated = held.AnswerIds.Length };
            }
        }

        held.Answer = answer;
        Note($"session {open.Session} is {(held.IsFenced ? "fenced" : "opened")} with {applied} positions");
    }

    private void OnStart(int worker, int session, ModelHeld held, ControlMessage message)
    {
        if (held.IsControlStarted)
        {
            return;
        }

        (held.IsControlStarted, held.IsControlFenced) = (true, false);
        if (held.IsHead)
        {
            held.AnswerIds = held.AnswerIds[..held.AnswerKnown].AddRange(message.Ids);
            held.Cursor = held.AnswerIds.Length;
        }

        StartEngine(worker, session, held, message);
    }

    private void OnRejoin(int router, int worker, ModelHeld held, ControlMessage message)
    {
        var index = held.IsHead ? message.Known - Settings.Prompt : 0;
        if (index < 0 || index > held.AnswerIds.Length)
        {
            Reply(router, worker, message, new ControlMessage(ControlKind.Unknown, message.Session, message.Epoch));
            return;
        }

        Own(held, router, message.Stream);
        held.Cursor = index;
        held.IsAnswerSent = held.Answer is not null;
        held.IsEndSent = false;
        if (held.Loss < 0)
        {
            held.Loss = held.ToldLoss;
        }
    }

    /// <summary>ControlCall.FindAsync: the session at the epoch and incarnation that a message names, or null after the router was told otherwise.</summary>
    private ModelHeld? FindFor(int router, int worker, ControlMessage message)
    {
        var held = Held(worker, message.Session);
        var isHere = held.IsKnown && message.Incarnation == IncarnationOf(worker, Worker(worker).Incarnation);
        if (isHere && message.Epoch == held.ControlEpoch)
        {
            return ChangeHeld(worker, message.Session);
        }

        if (isHere && message.Epoch < held.ControlEpoch)
        {
            Reply(router, worker, message, new ControlMessage(ControlKind.Stale, message.Session, held.ControlEpoch));
        }
        else if (Has(ShellRules.AnswersUnknown))
        {
            Reply(router, worker, message, new ControlMessage(ControlKind.Unknown, message.Session, message.Epoch));
        }

        return null;
    }

    private static void Own(ModelHeld held, int router, int stream) => (held.Owner, held.OwnerStream) = (router, stream);

    /// <summary>An answer on the stream that the message came on: lost when that has ended.</summary>
    private void Reply(int router, int worker, ControlMessage to, ControlMessage reply)
    {
        if (Control(router, worker).IsUp && Control(router, worker).Stream == to.Stream)
        {
            SayToRouter(router, worker, reply);
        }
    }

    private void SayToRouter(int router, int worker, ControlMessage message)
    {
        if (!Has(ShellRules.ControlOffRing) && !ReachesHeadOverRing(worker, message))
        {
            Note($"w{worker} cannot say over the ring: {message}");
            return;
        }

        var control = ChangeControl(router, worker);
        control.ToRouter = control.ToRouter.Add(message with { Stream = control.Stream });
        Note($"w{worker} says to router {router}: {message}");
    }

    /// <summary>With rule 1 off, what a stage has to say goes forward over the ring to the head, and to the router from there.</summary>
    private bool ReachesHeadOverRing(int worker, ControlMessage message)
    {
        var held = Held(worker, message.Session);
        if (!held.IsKnown || held.Path.IsEmpty)
        {
            return true;
        }

        for (var place = held.Place; place != 0; place = (place + 1) % held.Path.Length)
        {
            if (Link(held.Path[place].Worker, held.Path[(place + 1) % held.Path.Length].Worker).Generation == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>WorkerSession.TakeNext until there is nothing: what the session has to say to the stream that owns it.</summary>
    private void Speak(int worker, int session)
    {
        while (true)
        {
            var held = Held(worker, session);
            if (held.Owner < 0 || !Control(held.Owner, worker).IsUp || Control(held.Owner, worker).Stream != held.OwnerStream)
            {
                return;
            }

            var router = held.Owner;
            if (held.Answer is { } answer && !held.IsAnswerSent)
            {
                ChangeHeld(worker, session).IsAnswerSent = true;
                SayToRouter(router, worker, answer);
            }
            else if (!held.IsControlFenced && held.IsHead && held.Cursor < held.AnswerIds.Length)
            {
                SayToRouter(router, worker, new ControlMessage(ControlKind.Tokens, session, held.ControlEpoch)
                {
                    First = held.Cursor,
                    Ids = held.AnswerIds[held.Cursor..],
                });
                ChangeHeld(worker, session).Cursor = held.AnswerIds.Length;
            }
            else if (held.Loss >= 0)
            {
                SayToRouter(router, worker, new ControlMessage(ControlKind.StageLost, session, held.ControlEpoch)
                {
                    Lost = held.Loss,
                    IsUnknownThere = held.IsLossUnknown,
                });
                var told = ChangeHeld(worker, session);
                (told.Loss, told.ToldLoss) = (-1, held.Loss);
            }
            else if (held.End != ModelEnd.None && !held.IsEndSent && (!held.IsControlFenced || held.IsAnswerSent))
            {
                ChangeHeld(worker, session).IsEndSent = true;
                SayToRouter(router, worker, new ControlMessage(ControlKind.Finished, session, held.ControlEpoch)
                {
                    End = held.End,
                    Generated = held.AnswerIds.Length,
                });
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>The engine ends a session; its ids stay with the control service.</summary>
    private void EndHeld(ModelHeld held, ModelEnd end)
    {
        held.DropEngine();
        held.End = end;
        Note($"it ends here: {end}");
    }
}
