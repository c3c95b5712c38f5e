using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Failover.Exploration;

/// <content>The router's side: what RemoteSession and WorkerLink do around a <see cref="SessionCore"/>.</content>
internal sealed partial class World
{
    private void StartRouter(int router, int session, Epoch epoch, ImmutableArray<int> answer, ImmutableArray<Offer> path)
    {
        var part = ChangeRouter(router, session);
        part.IsUp = true;
        part.Core = new SessionCore(ModelNames.Session(session), epoch, Settings.Prompt, path.Length, answer.Length, Settings.Session);
        part.Core.OnConsumed(answer.Length);
        part.SeatWorkers = [.. path.Select(static offer => offer.Worker)];
        part.Forgotten = [.. path.Select(static _ => false)];
        part.Path = path;
        part.Ids = answer;
        for (var seat = 0; seat < path.Length; seat++)
        {
            AddToLink(part, router, seat);
        }

        Pump(router, session);
    }

    /// <summary>WorkerLink.Add: the session joins the connection that is up, if one is.</summary>
    private void AddToLink(ModelRouter part, int router, int seat)
    {
        var worker = part.SeatWorkers[seat];
        if (Control(router, worker).IsUp && !part.Core!.OnConnected(seat, IncarnationOf(worker, Worker(worker).Incarnation)))
        {
            Seek(part);
        }
    }

    private int SeatOf(ModelRouter part, int worker)
    {
        var seat = part.SeatWorkers.IndexOf(worker);
        return seat >= 0 && !part.Forgotten[seat] ? seat : -1;
    }

    private void ConnectControl(int router, int worker)
    {
        var control = ChangeControl(router, worker);
        control.IsUp = true;
        control.Stream++;
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Router(router, session) is { IsUp: true, Core: not null } && SeatOf(Router(router, session), worker) is var seat and >= 0)
            {
                var part = ChangeRouter(router, session);
                if (!part.Core!.OnConnected(seat, IncarnationOf(worker, Worker(worker).Incarnation)))
                {
                    Seek(part);
                }

                Pump(router, session);
            }
        }
    }

    private void DisconnectControl(int router, int worker, bool late)
    {
        if (!Control(router, worker).IsUp)
        {
            return;
        }

        var control = ChangeControl(router, worker);
        control.IsUp = false;
        if (late)
        {
            control.Late = control.Late.AddRange(control.ToWorker);
        }

        control.ToWorker = [];
        control.ToRouter = [];
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Router(router, session) is { IsUp: true, Core: not null } && SeatOf(Router(router, session), worker) is var seat and >= 0)
            {
                ChangeRouter(router, session).Core!.OnDisconnected(seat);
            }

            if (Held(worker, session).Owner == router && Held(worker, session).OwnerStream == control.Stream)
            {
                ChangeHeld(worker, session).Owner = -1;
            }
        }
    }

    /// <summary>What the core wants said goes out, on every connection that is up.</summary>
    private void Pump(int router, int session)
    {
        var part = ChangeRouter(router, session);
        var core = part.Core!;
        for (var seat = 0; seat < part.SeatWorkers.Length; seat++)
        {
            var worker = part.SeatWorkers[seat];
            if (part.Forgotten[seat])
            {
                continue;
            }

            while (Control(router, worker).IsUp)
            {
                var command = core.TakeCommand(seat);
                if (command == SessionCommand.None)
                {
                    break;
                }

                var control = ChangeControl(router, worker);
                var message = ToMessage(part, session, seat, command) with { Stream = control.Stream };
                control.ToWorker = control.ToWorker.Add(message);
                Note($"router {router} says to w{worker}: {message}");
            }

            if (core.IsSettled(seat))
            {
                part.Forgotten = part.Forgotten.SetItem(seat, true);
            }
        }
    }

    private static ControlMessage ToMessage(ModelRouter part, int session, int seat, SessionCommand command)
    {
        var core = part.Core!;
        var message = new ControlMessage(ControlKind.Open, session, core.Epoch) { Incarnation = core.Incarnation(seat) };
        return command switch
        {
            SessionCommand.Open => message with
            {
                Path = part.Path,
                Place = core.PlaceOf(seat),
                Ids = part.Ids[..core.OpenAnswer],
            },
            SessionCommand.Rejoin => message with { Kind = ControlKind.Rejoin, Known = core.KnownAt(seat) },
            SessionCommand.Start => message with
            {
                Kind = ControlKind.Start,
                Keep = core.Keep,
                NextIncarnation = core.NextIncarnation(seat),
                Ids = [.. part.Ids.Skip(core.OpenAnswer).Take(core.StartAnswer)],
            },
            SessionCommand.Acknowledge => message with { Kind = ControlKind.Acknowledge, Known = core.Consumed },
            SessionCommand.Cancel => message with { Kind = ControlKind.Cancel, Epoch = core.CancelEpoch(seat) },
            _ => throw new InvalidOperationException($"{command} is no message"),
        };
    }

    private void OnWorkerMessage(int router, int worker, ControlMessage message)
    {
        var session = message.Session;
        if (Router(router, session) is not { IsUp: true, Core: not null } || SeatOf(Router(router, session), worker) is not (var seat and >= 0))
        {
            return;
        }

        var part = ChangeRouter(router, session);
        var core = part.Core!;
        switch (message.Kind)
        {
            case ControlKind.Accepted:
                Take(router, session, part, message, core.OnAccepted(seat, message.Epoch, message.Applied, message.First, message.Ids.Length));
                if (Has(ShellRules.EndInAcknowledgement) && message.Epoch == core.Epoch && seat == core.Head
                    && message.End == ModelEnd.Length && message.Generated == core.Received)
                {
                    core.Complete();
                }

                break;
            case ControlKind.Tokens:
                Take(router, session, part, message, core.OnTokens(seat, message.Epoch, message.First, message.Ids.Length));
                break;
            case ControlKind.Finished:
                OnFinished(part, seat, message);
                break;
            case ControlKind.Unknown:
                if (core.OnUnknown(seat, message.Epoch, IncarnationOf(worker, Worker(worker).Incarnation)) == SessionTurn.NeedsPath)
                {
                    Seek(part);
                }

                break;
            case ControlKind.Stale:
                if (core.OnStale(message.Epoch))
                {
                    part.Failure = "another router has taken the session over";
                }

                break;
            case ControlKind.StageLost:
                OnStageLost(part, seat, message);
                break;
            default:
                throw new InvalidOperationException($"a worker does not say {message.Kind}");
        }

        AfterRouter(router, session);
    }

    private void OnFinished(ModelRouter part, int seat, ControlMessage message)
    {
        var reason = message.End switch
        {
            ModelEnd.Length => FinishReason.Length,
            ModelEnd.Cancelled => FinishReason.Cancelled,
            _ => FinishReason.Error,
        };
        if (part.Core!.OnFinished(seat, message.Epoch, reason, message.Generated) == SessionTurn.NeedsPath)
        {
            part.Avoided |= 1 << part.SeatWorkers[seat];
            Seek(part);
        }
    }

    private void OnStageLost(ModelRouter part, int seat, ControlMessage message)
    {
        var core = part.Core!;
        if (message.Epoch != core.Epoch || !core.IsOnPath(seat))
        {
            return;
        }

        var lost = -1;
        foreach (var other in core.Path)
        {
            lost = part.SeatWorkers[other] == message.Lost ? other : lost;
        }

        if (lost < 0)
        {
            return;
        }

        if (message.IsUnknownThere)
        {
            core.Lose(lost);
            Seek(part);
        }
        else if (part.SuspectedAt < 0)
        {
            (part.SuspectedAt, part.SuspectedWorker, part.SuspectedN) = (core.Received, message.Lost, core.Epoch.N);
            (part.IsGraceRunning, part.IsLastLook) = (true, false);
        }
    }

    private void OnGrace(ModelRouter part)
    {
        var core = part.Core!;
        if (part.SuspectedN != core.Epoch.N || part.SuspectedAt < 0)
        {
            part.IsGraceRunning = false;
        }
        else if (core.NeedsPath)
        {
            return; // that may pass without another path: it is looked at again
        }
        else if (core.Received == part.SuspectedAt)
        {
            part.IsGraceRunning = false;
            part.Avoided |= 1 << part.SuspectedWorker;
            foreach (var seat in core.Path.ToArray().Where(seat => part.SeatWorkers[seat] == part.SuspectedWorker))
            {
                core.Lose(seat);
            }

            Seek(part);
        }
        else if (!Has(ShellRules.SuspicionEnds))
        {
            part.IsGraceRunning = false;
        }
        else if (part.IsLastLook)
        {
            (part.IsGraceRunning, part.SuspectedAt) = (false, -1);
        }
        else
        {
            (part.IsLastLook, part.SuspectedAt) = (true, core.Received);
        }
    }

    /// <summary>RemoteSession.SeekPath: the loop that looks for a path runs, unless the answer is complete or nothing is wrong.</summary>
    private void Seek(ModelRouter part)
    {
        var core = part.Core!;
        if (part.IsSeeking || core.IsEnded || core.IsCancelled || !core.NeedsPath)
        {
            return;
        }

        if (part.Ids.Length >= Settings.Answer)
        {
            core.Complete();
            return;
        }

        part.IsSeeking = true;
    }

    /// <summary>What follows any change at a router: the loop ends when nothing is wrong any more, and the workers are told.</summary>
    private void AfterRouter(int router, int session)
    {
        var part = ChangeRouter(router, session);
        var core = part.Core!;
        if (part.IsSeeking && part.Ids.Length >= Settings.Answer && Has(ShellRules.WholeIsNotResumed))
        {
            core.Complete();
        }

        if (part.IsSeeking && !MustReroute(part))
        {
            part.IsSeeking = false;
        }

        Pump(router, session);
        if (Client(session).Router == router && part.Failure is { } failure)
        {
            Violate($"session {session} failed: {failure}");
        }

        if (Client(session).Router == router && core.IsEnded && Client(session).Received.Length < Settings.Answer)
        {
            Violate($"session {session} ended after {Client(session).Received.Length} of {Settings.Answer} tokens");
        }
    }

    private static bool MustReroute(ModelRouter part) =>
        part.Core is { IsEnded: false, IsCancelled: false, NeedsPath: true };

    private void Take(int router, int session, ModelRouter part, ControlMessage message, int skip)
    {
        for (var i = skip; i < message.Ids.Length; i++)
        {
            part.Ids = part.Ids.Add(message.Ids[i]);
            if (Client(session).Router == router)
            {
                Emit(session, message.Ids[i]);
            }
        }

        if (skip < message.Ids.Length)
        {
            part.Core!.OnConsumed(part.Core.Received);
        }
    }

    private void Emit(int session, int id)
    {
        var client = ChangeClient(session);
        client.Log = client.Log.Add(id);
        Give(client, session, id);
    }

    /// <summary>The client gets a token: it must be the one that follows from those before.</summary>
    private void Give(ModelClient client, int session, int id)
    {
        var index = client.Received.Length;
        client.Received = client.Received.Add(id);
        Note($"client {session} gets token {index}");
        if (index >= Settings.Answer)
        {
            Violate($"client {session} got more than {Settings.Answer} tokens");
            return;
        }

        if (!_reference.Follows(Settings, session, client.Received.AsSpan()))
        {
            Violate($"token {index} of client {session} does not follow from those before it");
        }
    }

    /// <summary>Paths that the finder may come back with: as many stages as can stay do.</summary>
    private List<ImmutableArray<Offer>> FindPaths(int router, ModelRouter part)
    {
        var paths = new List<ImmutableArray<Offer>>();
        Extend(worker => (part.Avoided & (1 << worker)) == 0 && Control(router, worker).IsUp, [], 0, paths);
        if (paths.Count == 0)
        {
            Extend(worker => Control(router, worker).IsUp, [], 0, paths);
        }

        if (part.Core is { } core && paths.Count > 1)
        {
            var kept = new List<Offer>();
            for (var place = 0; place < part.Path.Length; place++)
            {
                if (!core.IsGone(core.Path[place]))
                {
                    kept.Add(part.Path[place]);
                }
            }

            var most = paths.Max(path => path.Count(kept.Contains));
            paths.RemoveAll(path => path.Count(kept.Contains) < most);
        }

        return paths;
    }

    private void Extend(Func<int, bool> mayUse, ImmutableArray<Offer> path, int layer, List<ImmutableArray<Offer>> paths)
    {
        if (layer == Settings.Layers)
        {
            if (path.Length > 1)
            {
                paths.Add(path);
            }

            return;
        }

        foreach (var offer in Settings.Offers)
        {
            if (offer.Layers.Start == layer && mayUse(offer.Worker) && !path.Any(stage => stage.Worker == offer.Worker))
            {
                Extend(mayUse, path.Add(offer), offer.Layers.End, paths);
            }
        }
    }

    /// <summary>RemoteSession.Take: the session goes on over another path.</summary>
    private void Reroute(int router, int session, ImmutableArray<Offer> path)
    {
        var part = ChangeRouter(router, session);
        var seats = new int[path.Length];
        var added = new List<int>();
        for (var place = 0; place < path.Length; place++)
        {
            var seat = part.SeatWorkers.IndexOf(path[place].Worker);
            if (seat < 0)
            {
                seat = part.Core!.AddSeat();
                part.SeatWorkers = part.SeatWorkers.Add(path[place].Worker);
                part.Forgotten = part.Forgotten.Add(false);
                added.Add(seat);
            }
            else if (part.Forgotten[seat])
            {
                part.Forgotten = part.Forgotten.SetItem(seat, false);
                added.Add(seat);
            }

            seats[place] = seat;
        }

        part.Path = path;
        (part.SuspectedAt, part.IsGraceRunning, part.IsSeeking, part.Avoided) = (-1, false, false, 0);
        part.Core!.Reroute(seats);
        foreach (var seat in added)
        {
            AddToLink(part, router, seat);
        }

        AfterRouter(router, session);
    }
}
