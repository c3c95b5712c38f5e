using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;

namespace Parallax.UnitTests.Failover.Exploration;

/// <content>What can happen next, and what happens then.</content>
internal sealed partial class World
{
    /// <summary>Lists what can happen next.</summary>
    public void List(List<Step> steps)
    {
        steps.Clear();
        IsCut = false;
        if (Violation is not null)
        {
            return;
        }

        ListMessages(steps);
        var isQuiet = steps.Count == 0;
        ListRouters(steps, isQuiet);
        ListRepairs(steps);
        if (!IsGoal)
        {
            ListFaults(steps);
        }
    }

    /// <summary>
    /// Whether a step is one of a timer that in calm times would not run out: what it waits for is still under way.
    /// </summary>
    public bool IsUnwise(Step step)
    {
        if (step.Kind is not (StepKind.AcknowledgeTimeout or StepKind.Grace or StepKind.Unreachable or StepKind.Silence or StepKind.Lease))
        {
            return false;
        }

        var steps = new List<Step>();
        ListMessages(steps);
        ListRepairs(steps);
        return steps.Count > 0;
    }

    private void ListMessages(List<Step> steps)
    {
        for (var worker = 0; worker < _workers; worker++)
        {
            for (var router = 0; router < Settings.Routers; router++)
            {
                ListControl(steps, router, worker);
            }

            if (!CanRun(worker))
            {
                continue;
            }

            for (var from = 0; from < _workers; from++)
            {
                if (from == worker)
                {
                    continue;
                }

                var direction = from < worker ? 0 : 1;
                if (!Link(from, worker).Queues[direction].IsEmpty && TakesFrames(worker))
                {
                    steps.Add(new Step(StepKind.Frame, from, worker));
                }

                if (!Link(from, worker).Late[direction].IsEmpty)
                {
                    steps.Add(new Step(StepKind.LateFrame, from, worker));
                }
            }

            if (Settings.Lazy && HasWork(worker))
            {
                steps.Add(new Step(StepKind.Compute, worker));
            }
        }
    }

    private bool CanRun(int worker) => Worker(worker) is { IsUp: true, IsPaused: false };

    /// <summary>With the rule off, a stage waits with its sends before it takes anything else.</summary>
    private bool TakesFrames(int worker)
    {
        if (Has(ShellRules.NeverWaitsForSend))
        {
            return true;
        }

        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Held(worker, session) is { Flow: not null } held && held.Flow.Sender.TryNext(1, out _))
            {
                return false;
            }
        }

        return true;
    }

    private void ListControl(List<Step> steps, int router, int worker)
    {
        var control = Control(router, worker);
        if (CanRun(worker))
        {
            if (control.IsUp && !control.ToWorker.IsEmpty)
            {
                ListChoices(steps, StepKind.ToWorker, router, worker, control.ToWorker[0]);
            }

            if (!control.Late.IsEmpty)
            {
                ListChoices(steps, StepKind.LateToWorker, router, worker, control.Late[0]);
            }
        }

        if (control.IsUp && !control.ToRouter.IsEmpty && Router(router, 0).IsUp)
        {
            steps.Add(new Step(StepKind.ToRouter, router, worker));
        }
    }

    private void ListChoices(List<Step> steps, StepKind kind, int router, int worker, ControlMessage message)
    {
        var choices = Settings.Cached.Length > 1 && LooksForBlocks(worker, message) ? Settings.Cached.Length : 1;
        for (var choice = 0; choice < choices; choice++)
        {
            steps.Add(new Step(kind, router, worker, choice));
        }
    }

    private void ListRouters(List<Step> steps, bool isQuiet)
    {
        for (var router = 0; router < Settings.Routers; router++)
        {
            if (!Router(router, 0).IsUp)
            {
                continue;
            }

            for (var worker = 0; worker < _workers; worker++)
            {
                if (Control(router, worker).IsUp && Worker(worker).IsPaused && IsUsed(router, worker))
                {
                    steps.Add(new Step(StepKind.Silence, router, worker));
                }
                else if (!Control(router, worker).IsUp && IsMissed(router, worker) && Has(ShellRules.RouterWatches))
                {
                    steps.Add(new Step(StepKind.Unreachable, router, worker));
                }
            }

            for (var session = 0; session < Settings.Sessions; session++)
            {
                if (Router(router, session).Core is not null)
                {
                    ListRouter(steps, router, session, isQuiet);
                }
            }
        }

        for (var worker = 0; worker < _workers && isQuiet; worker++)
        {
            for (var session = 0; session < Settings.Sessions; session++)
            {
                if (CanRun(worker) && Held(worker, session).Flow is not null && !IsRenewed(worker, session))
                {
                    steps.Add(new Step(StepKind.Lease, worker, session));
                }
            }
        }
    }

    private void ListRouter(List<Step> steps, int router, int session, bool isQuiet)
    {
        var part = Router(router, session);
        var core = part.Core!;
        if (core.IsEnded || core.IsCancelled)
        {
            return;
        }

        if (core.Epoch.N > 0 && !core.IsAccepted && !core.NeedsPath && (Settings.EarlyTimeouts || isQuiet))
        {
            steps.Add(new Step(StepKind.AcknowledgeTimeout, router, session));
        }

        if (part.IsGraceRunning && !core.NeedsPath && !HearsSomething(router))
        {
            steps.Add(new Step(StepKind.Grace, router, session));
        }

        if (part.IsSeeking && MustReroute(part))
        {
            if (core.Epoch.N >= Settings.MaxN)
            {
                IsCut = true;
            }
            else
            {
                var paths = FindPaths(router, part);
                for (var i = 0; i < paths.Count; i++)
                {
                    steps.Add(new Step(StepKind.Reroute, router, session, i));
                }
            }
        }

        if (Settings.Watch && isQuiet && core.IsWaitingForWorker && !core.NeedsPath)
        {
            if (core.Epoch.N >= Settings.MaxN)
            {
                IsCut = true;
            }
            else
            {
                steps.Add(new Step(StepKind.Watch, router, session));
            }
        }

        if (Client(session).Router != router)
        {
            steps.Add(new Step(StepKind.ClientGone, router, session));
        }
    }

    /// <summary>Whether anything is under way to a router: a grace is longer than that takes.</summary>
    private bool HearsSomething(int router)
    {
        for (var worker = 0; worker < _workers; worker++)
        {
            if (!Control(router, worker).ToRouter.IsEmpty)
            {
                return true;
            }
        }

        return false;
    }

    private bool IsUsed(int router, int worker)
    {
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Router(router, session) is { Core: { IsEnded: false } core } part
                && SeatOf(part, worker) is var seat and >= 0 && core.IsOnPath(seat))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsMissed(int router, int worker)
    {
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Router(router, session) is { Core: { IsEnded: false } core } part
                && SeatOf(part, worker) is var seat and >= 0 && core.IsOnPath(seat) && !core.IsGone(seat))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsRenewed(int worker, int session)
    {
        for (var router = 0; router < Settings.Routers; router++)
        {
            if (Router(router, session) is not { IsUp: true, Core: { } core } part || SeatOf(part, worker) is not (var seat and >= 0))
            {
                continue;
            }

            // One that has not accepted yet will, or is taken off the path.
            if (Control(router, worker).IsUp && (core.HoldsLease(seat) || (!core.IsEnded && !core.IsCancelled && core.IsOnPath(seat))))
            {
                return true;
            }
        }

        return false;
    }

    private void ListRepairs(List<Step> steps)
    {
        if (!Router(0, 0).IsUp && Client(0).Router == 0)
        {
            ListPaths(steps, StepKind.TakeOver);
        }

        for (var worker = 0; worker < _workers; worker++)
        {
            if (!Worker(worker).IsUp && Settings.Repairs.HasFlag(Repairs.Restart))
            {
                steps.Add(new Step(StepKind.Restart, worker));
            }

            if (Worker(worker).IsPaused && Settings.Repairs.HasFlag(Repairs.Unpause))
            {
                steps.Add(new Step(StepKind.Unpause, worker));
            }

            for (var other = worker + 1; other < _workers; other++)
            {
                if (Link(worker, other).Generation == 0 && Worker(worker).IsUp && Worker(other).IsUp && Settings.Repairs.HasFlag(Repairs.HealLink))
                {
                    steps.Add(new Step(StepKind.HealLink, worker, other));
                }
            }

            for (var router = 0; router < Settings.Routers; router++)
            {
                if (!Control(router, worker).IsUp && Control(router, worker).Stream > 0 && CanRun(worker) && Router(router, 0).IsUp
                    && Settings.Repairs.HasFlag(Repairs.HealControl))
                {
                    steps.Add(new Step(StepKind.HealControl, router, worker));
                }
            }
        }
    }

    private void ListFaults(List<Step> steps)
    {
        if (Nature.Disorder < Settings.MaxDisorder)
        {
            ListDisorder(steps);
        }

        if (Nature.Faults >= Settings.MaxFaults)
        {
            return;
        }

        for (var worker = 0; worker < _workers; worker++)
        {
            if (!Worker(worker).IsUp || !IsConcerned(worker))
            {
                continue;
            }

            Add(FaultKinds.Crash, new Step(StepKind.Crash, worker));
            if (!Worker(worker).IsPaused)
            {
                Add(FaultKinds.Pause, new Step(StepKind.Pause, worker));
                ListLosses(steps, worker);
            }

            for (var other = 0; other < _workers; other++)
            {
                if (other > worker && Link(worker, other).Generation > 0 && AreNeighbours(worker, other))
                {
                    Add(FaultKinds.CutLink, new Step(StepKind.CutLink, worker, other));
                    Add(FaultKinds.FlapLink, new Step(StepKind.FlapLink, worker, other));
                }
            }

            for (var router = 0; router < Settings.Routers; router++)
            {
                if (Control(router, worker).IsUp && IsUsed(router, worker))
                {
                    Add(FaultKinds.CutControl, new Step(StepKind.CutControl, router, worker));
                }
            }
        }

        if (Router(0, 0).IsUp && Settings.Routers > 1)
        {
            Add(FaultKinds.RouterCrash, new Step(StepKind.RouterCrash, 0));
            if (Client(0).Router == 0 && Client(0).Log.Length > 0)
            {
                Add(FaultKinds.RouterCrash, new Step(StepKind.RouterCrash, 0, 0, 1));
            }
        }

        ListAttach(steps, FaultKinds.Attach);

        void Add(FaultKinds kind, Step step)
        {
            if (Settings.Faults.HasFlag(kind))
            {
                steps.Add(step);
                if (Settings.Late && step.Kind is StepKind.Crash or StepKind.CutLink or StepKind.FlapLink or StepKind.CutControl)
                {
                    steps.Add(step with { C = 1 });
                }
            }
        }
    }

    /// <summary>The client turns to the second router: when its own is gone, or though it acts.</summary>
    private void ListAttach(List<Step> steps, FaultKinds kind)
    {
        if (Settings.Routers > 1 && Client(0).Router == 0 && Router(0, 0).IsUp && Settings.Faults.HasFlag(kind)
            && Client(0).Received.Length < Settings.Answer)
        {
            ListPaths(steps, StepKind.Attach);
        }
    }

    private void ListPaths(List<Step> steps, StepKind kind)
    {
        var paths = new List<ImmutableArray<Offer>>();
        Extend(CanRun, [], 0, paths);
        for (var i = 0; i < paths.Count; i++)
        {
            steps.Add(new Step(kind, 1, 0, i));
            if (AskHeads(0).Length > Client(0).Log.Length)
            {
                steps.Add(new Step(kind, 1, 1, i));
            }
        }
    }

    private void ListLosses(List<Step> steps, int worker)
    {
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Held(worker, session) is not { Flow: { } flow } held)
            {
                continue;
            }

            if (Settings.Faults.HasFlag(FaultKinds.Evict) && held.Length > 0)
            {
                steps.Add(new Step(StepKind.Evict, worker, session));
            }

            if (Settings.Faults.HasFlag(FaultKinds.LoseSession))
            {
                steps.Add(new Step(StepKind.LoseSession, worker, session));
            }

            if (Settings.Faults.HasFlag(FaultKinds.ForgetOutputs) && !flow.Sender.Out.IsEmpty && flow.Sender.Out[0].Start < flow.Sender.Acknowledged)
            {
                steps.Add(new Step(StepKind.ForgetOutputs, worker, session));
            }
        }
    }

    private void ListDisorder(List<Step> steps)
    {
        for (var from = 0; from < _workers; from++)
        {
            for (var to = 0; to < _workers; to++)
            {
                if (from == to || Link(from, to).Queues[from < to ? 0 : 1] is not { IsEmpty: false } queue || !CanRun(to))
                {
                    continue;
                }

                steps.Add(new Step(StepKind.Duplicate, from, to));
                if (OvertakerIn(queue) > 0)
                {
                    steps.Add(new Step(StepKind.Overtake, from, to));
                }
            }
        }
    }

    /// <summary>The first message of a lower lane than the first of all, on the same connection; 0 when there is none.</summary>
    private static int OvertakerIn(ImmutableArray<LinkMessage> queue)
    {
        for (var i = 1; i < queue.Length && queue[i].Generation == queue[0].Generation; i++)
        {
            if (queue[i].Lane < queue[0].Lane)
            {
                return i;
            }
        }

        return 0;
    }

    /// <summary>Whether a worker has anything to do with a session, so that its failure matters.</summary>
    private bool IsConcerned(int worker)
    {
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Held(worker, session).Flow is not null)
            {
                return true;
            }
        }

        for (var router = 0; router < Settings.Routers; router++)
        {
            if (Router(router, 0).IsUp && IsUsed(router, worker))
            {
                return true;
            }
        }

        return false;
    }

    private bool AreNeighbours(int a, int b)
    {
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (IsNext(a, b, session) || IsNext(b, a, session))
            {
                return true;
            }
        }

        return false;

        bool IsNext(int from, int to, int session) => Held(from, session) is { Flow: not null } held && held.Next == to;
    }

    private void Apply(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.ToWorker:
                {
                    var control = ChangeControl(step.A, step.B);
                    var message = control.ToWorker[0];
                    control.ToWorker = control.ToWorker.RemoveAt(0);
                    Note($"w{step.B} takes of router {step.A}: {message}");
                    OnRouterMessage(step.A, step.B, message, Settings.Cached[step.C]);
                    AfterWorker(step.B);
                    break;
                }

            case StepKind.LateToWorker:
                {
                    var control = ChangeControl(step.A, step.B);
                    var message = control.Late[0];
                    control.Late = control.Late.RemoveAt(0);
                    Note($"w{step.B} takes of router {step.A}, late: {message}");
                    OnRouterMessage(step.A, step.B, message, Settings.Cached[step.C]);
                    AfterWorker(step.B);
                    break;
                }

            case StepKind.ToRouter:
                {
                    var control = ChangeControl(step.A, step.B);
                    var message = control.ToRouter[0];
                    control.ToRouter = control.ToRouter.RemoveAt(0);
                    Note($"router {step.A} takes of w{step.B}: {message}");
                    OnWorkerMessage(step.A, step.B, message);
                    break;
                }

            case StepKind.Frame or StepKind.LateFrame:
                ApplyFrame(step);
                break;
            case StepKind.Compute:
                LoopStep(step.A);
                break;
            case StepKind.Duplicate or StepKind.Overtake:
                ApplyDisorder(step);
                break;
            default:
                if (step.IsFault)
                {
                    ChangeNature().Faults++;
                    Note($"FAULT {step.Kind} {step.A} {step.B} {step.C}");
                    ApplyFault(step);
                }
                else
                {
                    Note($"{step.Kind} {step.A} {step.B} {step.C}");
                    ApplyTimer(step);
                }

                break;
        }
    }

    private void ApplyFrame(Step step)
    {
        var direction = step.A < step.B ? 0 : 1;
        var link = ChangeLink(step.A, step.B);
        var queues = step.Kind == StepKind.Frame ? link.Queues : link.Late;
        var message = queues[direction][0];
        queues[direction] = queues[direction].RemoveAt(0);
        Note($"w{step.B} takes of w{step.A}{(step.Kind == StepKind.LateFrame ? ", late" : "")}: {message}");
        if (step.Kind == StepKind.Frame && CanRun(step.A))
        {
            OnRoom(step.A, step.B);
            AfterWorker(step.A);
        }

        OnLinkMessage(step.B, step.A, message);
        AfterWorker(step.B);
    }

    private void ApplyDisorder(Step step)
    {
        ChangeNature().Disorder++;
        var direction = step.A < step.B ? 0 : 1;
        var queues = ChangeLink(step.A, step.B).Queues;
        if (step.Kind == StepKind.Duplicate)
        {
            Note($"w{step.A} to w{step.B}, twice: {queues[direction][0]}");
            queues[direction] = queues[direction].Insert(0, queues[direction][0]);
        }
        else
        {
            var message = queues[direction][OvertakerIn(queues[direction])];
            Note($"w{step.A} to w{step.B}, overtakes: {message}");
            queues[direction] = queues[direction].Remove(message).Insert(0, message);
        }
    }

    /// <summary>A worker's loop goes on after it has taken something, at once unless that is a step of its own.</summary>
    private void AfterWorker(int worker)
    {
        if (!Settings.Lazy)
        {
            RunLoop(worker);
        }
        else
        {
            for (var session = 0; session < Settings.Sessions; session++)
            {
                Speak(worker, session);
            }
        }
    }

    private void ApplyTimer(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Unreachable:
                ForSeats(step.A, step.B, static (core, seat) => core.OnUnreachable(seat));
                break;
            case StepKind.Silence:
                DisconnectControl(step.A, step.B, late: true);
                ForSeats(step.A, step.B, static (core, seat) => core.OnUnreachable(seat));
                break;
            case StepKind.AcknowledgeTimeout:
                {
                    var part = ChangeRouter(step.A, step.B);
                    foreach (var seat in part.Core!.Path.ToArray())
                    {
                        if (!part.Core.HasAccepted(seat) && !part.Core.IsGone(seat))
                        {
                            part.Core.Lose(seat);
                            part.Avoided |= 1 << part.SeatWorkers[seat];
                        }
                    }

                    Seek(part);
                    AfterRouter(step.A, step.B);
                    break;
                }

            case StepKind.Grace:
                OnGrace(ChangeRouter(step.A, step.B));
                AfterRouter(step.A, step.B);
                break;
            case StepKind.Reroute:
                Reroute(step.A, step.B, FindPaths(step.A, Router(step.A, step.B))[step.C]);
                break;
            case StepKind.Watch:
                OnLate(step.A, step.B);
                break;
            case StepKind.Lease:
                EndHeld(ChangeHeld(step.A, step.B), ModelEnd.Cancelled);
                AfterWorker(step.A);
                Speak(step.A, step.B);
                break;
            case StepKind.ClientGone:
                ChangeRouter(step.A, step.B).Core!.Cancel();
                AfterRouter(step.A, step.B);
                break;
            case StepKind.TakeOver:
                Attach(step.A, step.C, asksHead: step.B == 1);
                break;
            case StepKind.Restart:
                Restart(step.A);
                break;
            case StepKind.Unpause:
                ChangeWorker(step.A).IsPaused = false;
                AfterWorker(step.A);
                break;
            case StepKind.HealLink:
                Heal(step.A, step.B);
                break;
            case StepKind.HealControl:
                ConnectControl(step.A, step.B);
                break;
            default:
                throw new InvalidOperationException($"{step.Kind} is no timer");
        }
    }

    /// <summary>The head owes a token for long: what it has sent may be lost, and else everybody begins again.</summary>
    private void OnLate(int router, int session)
    {
        var part = ChangeRouter(router, session);
        var held = Held(part.SeatWorkers[part.Core!.Head], session);
        if (held.IsKnown && held.ControlEpoch == part.Core.Epoch && (held.AnswerIds.Length > part.Core.Received || held.End != ModelEnd.None))
        {
            part.Core.OnMissed();
        }
        else if (part.Core.MayRaise())
        {
            part.Core.Lose(part.Core.Head);
            Seek(part);
        }
        else
        {
            part.Failure = "no token for too long";
        }

        AfterRouter(router, session);
    }

    private void ForSeats(int router, int worker, Action<Parallax.Router.Sessions.SessionCore, int> action)
    {
        for (var session = 0; session < Settings.Sessions; session++)
        {
            if (Router(router, session) is { Core: not null } && SeatOf(Router(router, session), worker) is var seat and >= 0)
            {
                var part = ChangeRouter(router, session);
                action(part.Core!, seat);
                Seek(part);
                AfterRouter(router, session);
            }
        }
    }

    private void ApplyFault(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Crash:
                Crash(step.A, late: step.C == 1);
                break;
            case StepKind.Pause:
                ChangeWorker(step.A).IsPaused = true;
                break;
            case StepKind.CutLink:
                Cut(step.A, step.B, late: step.C == 1);
                break;
            case StepKind.FlapLink:
                Cut(step.A, step.B, late: step.C == 1);
                Heal(step.A, step.B);
                break;
            case StepKind.CutControl:
                DisconnectControl(step.A, step.B, late: step.C == 1);
                break;
            case StepKind.Evict:
                Preempt(step.A, step.B);
                AfterWorker(step.A);
                break;
            case StepKind.LoseSession:
                EndHeld(ChangeHeld(step.A, step.B), ModelEnd.Cancelled);
                AfterWorker(step.A);
                Speak(step.A, step.B);
                break;
            case StepKind.ForgetOutputs:
                {
                    var held = ChangeHeld(step.A, step.B);
                    var count = held.Flow!.Sender.Acknowledged;
                    held.Flow.Sender.Forget(0, count);
                    held.Journal = held.Journal.RemoveRange(held.Journal.Keys.Where(position => position < count));
                    AfterWorker(step.A);
                    break;
                }

            case StepKind.RouterCrash:
                CrashRouter(step.A, lastWriteLost: step.C == 1);
                break;
            case StepKind.Attach:
                Attach(step.A, step.C, asksHead: step.B == 1);
                break;
            default:
                throw new InvalidOperationException($"{step.Kind} is no fault");
        }
    }

    private void Crash(int worker, bool late)
    {
        ChangeWorker(worker).IsUp = false;
        ChangeWorker(worker).IsPaused = false;
        for (var session = 0; session < Settings.Sessions; session++)
        {
            _parts[HeldAt(worker, session)] = new ModelHeld();
            _owned |= 1UL << HeldAt(worker, session);
        }

        for (var router = 0; router < Settings.Routers; router++)
        {
            DisconnectControl(router, worker, late: false);
            ChangeControl(router, worker).Late = [];
        }

        for (var other = 0; other < _workers; other++)
        {
            if (other == worker)
            {
                continue;
            }

            if (Link(worker, other).Generation > 0)
            {
                Cut(worker, other, late);
            }

            ChangeLink(worker, other).Queues[other < worker ? 0 : 1] = [];
            ChangeLink(worker, other).Late[other < worker ? 0 : 1] = [];
        }
    }

    private void Restart(int worker)
    {
        var part = ChangeWorker(worker);
        part.IsUp = true;
        part.Incarnation++;
        part.Reset(_workers, IncarnationOf(worker, part.Incarnation));
        for (var other = 0; other < _workers; other++)
        {
            if (other != worker && Worker(other).IsUp)
            {
                Heal(worker, other);
            }
        }

        for (var router = 0; router < Settings.Routers; router++)
        {
            if (Router(router, 0).IsUp && Control(router, worker).Stream > 0)
            {
                ConnectControl(router, worker);
            }
        }
    }

    private void Cut(int a, int b, bool late)
    {
        var link = ChangeLink(a, b);
        var generation = link.Generation;
        link.Generation = 0;
        for (var direction = 0; direction < 2; direction++)
        {
            var (from, to) = direction == 0 ? (Math.Min(a, b), Math.Max(a, b)) : (Math.Max(a, b), Math.Min(a, b));
            if (late)
            {
                link.Late[direction] = link.Late[direction].AddRange(link.Queues[direction].Where(static message => message.Kind is LinkMessageKind.Rows or LinkMessageKind.Flow));
            }

            // What a suspended process has received it still reads first.
            link.Queues[direction] = Worker(to) is { IsUp: true, IsPaused: true } ? link.Queues[direction] : [];
            Tell(to, from, new LinkMessage(LinkMessageKind.Down, generation));
        }

        AfterLink(a);
        AfterLink(b);
    }

    private void Heal(int a, int b)
    {
        var link = ChangeLink(a, b);
        link.Generation = ++link.LastGeneration;
        foreach (var (to, from) in new[] { (a, b), (b, a) })
        {
            Tell(to, from, new LinkMessage(LinkMessageKind.Up, link.Generation));
        }

        AfterLink(a);
        AfterLink(b);
    }

    /// <summary>News of a link: taken at once, or in the order in which frames are.</summary>
    private void Tell(int worker, int peer, LinkMessage news)
    {
        if (!Worker(worker).IsUp)
        {
            return;
        }

        if (Settings.Lazy || Worker(worker).IsPaused)
        {
            var direction = peer < worker ? 0 : 1;
            var queues = ChangeLink(worker, peer).Queues;
            queues[direction] = queues[direction].Add(news);
        }
        else
        {
            OnLinkMessage(worker, peer, news);
        }
    }

    private void AfterLink(int worker)
    {
        if (CanRun(worker))
        {
            AfterWorker(worker);
        }
    }

    /// <summary>Attach (rule 9): the most that a head within reach holds of an answer.</summary>
    private ImmutableArray<int> AskHeads(int session)
    {
        ImmutableArray<int> most = [];
        for (var worker = 0; worker < _workers; worker++)
        {
            if (CanRun(worker) && Held(worker, session) is { IsKnown: true, IsHead: true } held && held.AnswerIds.Length > most.Length)
            {
                most = held.AnswerIds;
            }
        }

        return most;
    }

    private void CrashRouter(int router, bool lastWriteLost)
    {
        for (var worker = 0; worker < _workers; worker++)
        {
            DisconnectControl(router, worker, late: false);
            ChangeControl(router, worker).Stream = 0;
        }

        for (var session = 0; session < Settings.Sessions; session++)
        {
            var client = ChangeClient(session);
            if (lastWriteLost && client.Router == router && client.Log.Length > 0)
            {
                // Between the log and the client, whichever comes first.
                if (Has(ShellRules.LogBeforeClient))
                {
                    client.Received = client.Received[..^1];
                }
                else
                {
                    client.Log = client.Log[..^1];
                }
            }

            var part = ChangeRouter(router, session);
            (part.IsUp, part.Core) = (false, null);
        }
    }

    /// <summary>Every client turns to another router, which goes on from the log.</summary>
    private void Attach(int router, int path, bool asksHead)
    {
        for (var worker = 0; worker < _workers; worker++)
        {
            if (Worker(worker) is { IsUp: true, IsPaused: false })
            {
                (ChangeControl(router, worker).IsUp, ChangeControl(router, worker).Stream) = (true, 1);
            }
            else
            {
                ChangeControl(router, worker).Stream = 1;
            }
        }

        for (var session = 0; session < Settings.Sessions; session++)
        {
            var client = ChangeClient(session);
            client.Router = router;
            if (asksHead && AskHeads(session) is var held && held.Length > client.Log.Length)
            {
                client.Log = held;
            }

            for (var i = client.Received.Length; i < client.Log.Length; i++)
            {
                Give(client, session, client.Log[i]);
            }

            if (client.Log.Length >= Settings.Answer)
            {
                ChangeRouter(router, session).IsUp = true;
                continue;
            }

            var term = Has(ShellRules.TermRises) ? 2 : 1;
            StartRouter(router, session, new Epoch(term, ModelNames.Router(router), 0), client.Log, FindPaths(router, new ModelRouter())[path]);
        }
    }
}
