using Parallax.Contracts.Identifiers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Transport.Flow;

/// <summary>
/// A ring of stages with one session, driven step by step from a seed: links that cut, heal, duplicate, reorder rows and
/// deliver late; stages that lose the session, evict, forget journal rows; a router that fences and resumes, but does
/// nothing when nothing is found broken. Tokens depend on the epoch that sampled them (an inexact class), so that a row
/// of another history is seen.
/// </summary>
internal sealed class RingSimulation
{
    private const int Prompt = 3;
    private const int Window = 6;

    private readonly Random _random;
    private readonly HopRules _rules;
    private readonly SessionId _session = new(Guid.Parse("11111111-2222-3333-4444-555555555555"));
    private readonly Guid _router = Guid.Parse("aaaaaaaa-0000-0000-0000-000000000001");
    private readonly Stage[] _stages;
    private readonly SimulatedLink[] _links; // [i]: from stage i to its next
    private readonly int _length;
    private readonly List<int> _emitted = [10, 11, 12]; // the router's tokens, prompt first
    private readonly Dictionary<int, (long Incarnation, int[]? Ids)> _acks = [];
    private int _n;
    private bool _resumed = true;

    public RingSimulation(int seed, HopRules rules, int stages = 3, int answer = 6)
    {
        _random = new Random(seed);
        _rules = rules;
        _length = Prompt + answer;
        _stages = [.. Enumerable.Range(0, stages).Select(i => new Stage(i))];
        _links = [.. Enumerable.Range(0, stages).Select(_ => new SimulatedLink())];
        foreach (var link in _links)
        {
            link.Generation = 1;
        }

        Raise();
    }

    public int States { get; private set; }

    public int RowMessages { get; private set; }

    public int Events { get; private set; }

    public string? Violation { get; private set; }

    private Epoch Current => new(1, _router, _n);

    private bool Done => _stages[0].Ids.Count >= _length;

    /// <summary>Runs with faults for a while, then without; null when every token came and nothing was violated.</summary>
    public string? Run(int faultySteps, int maxSteps = 6000)
    {
        for (var step = 0; step < maxSteps && Violation is null; step++)
        {
            var faulty = step < faultySteps;
            if (faulty && _random.Next(12) == 0)
            {
                Fault();
                continue;
            }

            if (!faulty)
            {
                // Faults are over: links heal and the router looks for stages that lost the session.
                Heal();
                if (_resumed && _stages.Any(stage => stage.Outgoing is null))
                {
                    Raise();
                }
            }

            if (!Act() && !faulty)
            {
                break;
            }

            if (Done && !faulty)
            {
                break;
            }
        }

        if (Violation is not null)
        {
            return Violation;
        }

        if (!Done)
        {
            return $"stuck: {_stages[0].Ids.Count} of {_length} tokens";
        }

        // Every stage states at most once per thing that happened to it or its links.
        return States > 8 * (Events + 10) ? $"State storm: {States} for {Events} events"
            : RowMessages > 60 * (Events + 10) ? $"row storm: {RowMessages} for {Events} events"
            : null;
    }

    private void Fault()
    {
        Events++;
        var link = _links[_random.Next(_links.Length)];
        var stage = _stages[_random.Next(_stages.Length)];
        switch (_random.Next(9))
        {
            case 0 or 1 when link.Generation != 0:
                Cut(Array.IndexOf(_links, link));
                break;
            case 2 or 3:
                Heal();
                break;
            case 4:
                link.DuplicateRow(_random);
                break;
            case 5:
                link.SwapRows(_random);
                break;
            case 6 when stage.Index > 0 && stage.Incoming is { Phase: HopPhase.Running }:
                stage.Kv.Clear();
                stage.Work.Clear();
                Reply(stage.Index, stage.Incoming.Evict(), stage.Incoming.StateWant);
                break;
            case 7 when stage.Outgoing is { } sender && stage.Index < _stages.Length - 1:
                sender.Forget(_random.Next(_length), _random.Next(1, 4));
                Refill(stage);
                break;
            case 8:
                if (_random.Next(3) == 0)
                {
                    // A lease ran out, or (with a cut on both sides) the process died and came back.
                    if (_random.Next(2) == 0)
                    {
                        Cut(stage.Index);
                        Cut((stage.Index + _links.Length - 1) % _links.Length);
                        stage.Incarnation++;
                    }

                    stage.Drop();
                }
                else if (_resumed)
                {
                    Raise();
                }

                break;
        }
    }

    private bool Act()
    {
        var actions = new List<Action>();
        for (var i = 0; i < _stages.Length; i++)
        {
            var (stage, link) = (_stages[i], _links[i]);
            if (stage.Control.Count > 0)
            {
                actions.Add(() => OnControl(stage));
            }

            if (stage.Work.Count > 0)
            {
                actions.Add(() => Compute(stage));
            }

            if (i == 0 && HeadCanCompute(stage))
            {
                actions.Add(() => ComputeAtHead(stage));
            }

            if (stage.Outgoing is { } sender && sender.TryNext(1, out _))
            {
                actions.Add(() => Send(stage));
            }

            var index = i;
            if (link.Rows.Count > 0)
            {
                actions.Add(() => OnRow(index, link.Rows));
            }

            if (link.Messages.Count > 0)
            {
                actions.Add(() => OnMessage(index, link.Messages));
            }

            if (link.LateRows.Count > 0)
            {
                actions.Add(() => OnRow(index, link.LateRows));
            }

            if (link.LateMessages.Count > 0)
            {
                actions.Add(() => OnMessage(index, link.LateMessages));
            }
        }

        if (_stages[0].Incoming is { Phase: HopPhase.Running } && _emitted.Count < _stages[0].Ids.Count && _resumed)
        {
            actions.Add(() => _emitted.Add(_stages[0].Ids[_emitted.Count]));
        }

        if (actions.Count == 0)
        {
            return false;
        }

        actions[_random.Next(actions.Count)]();
        return true;
    }

    // Router.
    private void Raise()
    {
        Events++;
        _n++;
        _resumed = false;
        _acks.Clear();
        foreach (var stage in _stages)
        {
            stage.Control.Enqueue(new Control(Current, null, null));
        }
    }

    private void OnFenceAck(Stage stage, Epoch epoch)
    {
        if (epoch != Current || _resumed)
        {
            return;
        }

        _acks[stage.Index] = (stage.Incarnation, stage.Index == 0 ? [.. stage.Ids] : null);
        if (_acks.Count < _stages.Length)
        {
            return;
        }

        var ids = _acks[0].Ids!;
        for (var i = _emitted.Count; i < ids.Length; i++)
        {
            _emitted.Add(ids[i]);
        }

        _resumed = true;
        if (_emitted.Count >= _length)
        {
            _stages[0].Ids = [.. _emitted];
            return;
        }

        foreach (var target in _stages)
        {
            target.Control.Enqueue(new Control(
                Current, [.. _emitted], _acks[(target.Index + 1) % _stages.Length].Incarnation));
        }
    }

    // Stage.
    private void OnControl(Stage stage)
    {
        var control = stage.Control.Dequeue();
        if (control.Ids is null)
        {
            Fence(stage, control.Epoch);
            return;
        }

        if (stage.Incoming is null || stage.Outgoing is null)
        {
            return; // the session went after its FenceAck; the router finds it missing
        }

        var (count, keep) = (control.Ids.Length, control.Ids.Length - 1);
        var tail = stage.Index == _stages.Length - 1;
        if (!stage.Outgoing.Resume(control.Epoch, tail ? count : keep, keep, control.NextIncarnation!.Value))
        {
            return;
        }

        if (stage.Kv.Count > keep)
        {
            stage.Kv.RemoveRange(keep, stage.Kv.Count - keep);
        }

        if (stage.Index == 0)
        {
            stage.Ids = [.. control.Ids];
        }

        if (stage.Index == 0 && stage.Incoming.Applied < count)
        {
            // The router's ids are adopted as they are; the receiver was opened with less when the head is new.
            stage.Incoming = new HopReceiver(_session, stage.Incarnation, control.Epoch, true, count, _rules);
            Connect(stage.Incoming, stage.Index);
        }

        Reply(stage.Index, stage.Incoming.Resume(control.Epoch, stage.Index == 0 ? count : keep), stage.Incoming.StateWant);
        Refill(stage);
    }

    private void Fence(Stage stage, Epoch epoch)
    {
        var (head, tail) = (stage.Index == 0, stage.Index == _stages.Length - 1);
        if (stage.Incoming is null || stage.Outgoing is null)
        {
            stage.Incoming = new HopReceiver(_session, stage.Incarnation, epoch, head, head ? stage.Ids.Count : 0, _rules);
            stage.Outgoing = new HopSender(epoch, Window, tail, _rules);
            Connect(stage.Incoming, stage.Index);
            if (_links[stage.Index].Generation is var generation and > 0)
            {
                stage.Outgoing.Connected(generation);
            }
        }
        else if (stage.Incoming.Fence(epoch) != FenceResult.Fenced || stage.Outgoing.Fence(epoch) != FenceResult.Fenced)
        {
            return;
        }

        stage.Work.Clear();
        OnFenceAck(stage, epoch);
    }

    private void Connect(HopReceiver receiver, int index)
    {
        if (Previous(index).Generation is var generation and > 0)
        {
            Reply(index, receiver.Connected(generation), receiver.StateWant);
        }
    }

    private SimulatedLink Previous(int index) => _links[(index + _links.Length - 1) % _links.Length];

    private bool HeadCanCompute(Stage head) =>
        head.Outgoing is { Phase: HopPhase.Running } && head.Kv.Count < head.Ids.Count && head.Kv.Count < _length - 1;

    private void ComputeAtHead(Stage head)
    {
        var position = head.Kv.Count;
        head.Kv.Add(head.Ids[position]);
        head.Journal[position] = [.. head.Kv];
        head.Outgoing!.Produced(position, 1);
        Refill(head);
    }

    private void Compute(Stage stage)
    {
        var row = stage.Work.Dequeue();
        if (row.Rebuild)
        {
            if (row.Position >= stage.Kv.Count)
            {
                Violation = $"stage {stage.Index} rebuilds {row.Position} over a gap";
                return;
            }

            CheckHistory(stage, row, row.Position);
            stage.Journal[row.Position] = row.History;
            stage.Outgoing!.Produced(row.Position, 1);
            stage.Incoming!.Rebuilt(row.Position, 1);
        }
        else
        {
            if (row.Position != stage.Kv.Count)
            {
                Violation = $"stage {stage.Index} computes {row.Position} when {stage.Kv.Count} is next";
                return;
            }

            CheckHistory(stage, row, row.Position);
            stage.Kv.Add(row.History[row.Position]);
            stage.Journal[row.Position] = row.History;
            if (stage.Index < _stages.Length - 1)
            {
                stage.Outgoing!.Produced(row.Position, 1);
            }
            else if (row.Sample)
            {
                // The token depends on the epoch that samples it.
                stage.Tokens[row.Position + 1] = ((row.Position + 1) * 100) + stage.Outgoing!.Epoch.N;
                stage.Outgoing.Produced(row.Position + 1, 1);
            }

            Reply(stage.Index, stage.Incoming!.Computed(1), default);
        }

        Refill(stage);
    }

    private void CheckHistory(Stage stage, Row row, int upTo)
    {
        for (var i = 0; i < upTo; i++)
        {
            if (stage.Kv[i] != row.History[i])
            {
                Violation = $"stage {stage.Index} computes {row.Position} over the KV of another history at {i}";
            }
        }
    }

    // Rule 7: what the next hop needs and the journal lacks is recomputed at the head and wanted from upstream elsewhere.
    private void Refill(Stage stage)
    {
        if (stage.Outgoing is null || stage.Incoming is null || stage.Index == _stages.Length - 1)
        {
            return;
        }

        var missing = stage.Outgoing.Missing(stage.Kv.Count);
        if (stage.Index == 0)
        {
            foreach (var range in missing.Ranges.ToArray())
            {
                for (var position = range.Start; position < range.End; position++)
                {
                    stage.Journal[position] = stage.Kv[..(position + 1)].ToArray();
                }

                stage.Outgoing.Produced(range.Start, range.Count);
            }

            return;
        }

        Reply(stage.Index, stage.Incoming.Need(missing), stage.Incoming.StateWant);
    }

    private void Reply(int from, FlowMessage message, ReadOnlySpan<PositionRange> want)
    {
        var link = Previous(from);
        if (message.Kind == FlowMessageKind.None || link.Generation == 0)
        {
            return;
        }

        States += message.Kind == FlowMessageKind.State ? 1 : 0;
        link.Messages.Enqueue((link.Generation, message, message.Kind == FlowMessageKind.State ? want.ToArray() : []));
    }

    private void Send(Stage stage)
    {
        if (!stage.Outgoing!.TryNext(_random.Next(1, 4), out var run) || _links[stage.Index] is not { Generation: > 0 } link)
        {
            return;
        }

        RowMessages++;
        var rows = new Row[run.Count];
        for (var i = 0; i < run.Count; i++)
        {
            var position = run.First + i;
            var history = run.Kind == RowKind.Token ? [stage.Tokens[position]] : stage.Journal[position];
            rows[i] = new Row(position, run.Kind == RowKind.Rebuild, position >= run.SampleFrom, history);
        }

        var head = new RowRun(
            _session, run.Epoch, run.Incarnation, run.Kind, run.First, run.Count,
            run.Kind == RowKind.Token ? TensorType.None : TensorType.F32, run.Kind == RowKind.Token ? 0 : 1);
        link.Rows.Add((run.Generation, head, rows));
        stage.Outgoing.Sent(run);
    }

    private void OnRow(int from, List<(long Generation, RowRun Run, Row[] Rows)> queue)
    {
        var (generation, run, rows) = queue[0];
        queue.RemoveAt(0);
        var stage = _stages[(from + 1) % _stages.Length];
        if (stage.Incoming is null)
        {
            // Generation is checked by the link too; without the rule it is not.
            if (generation == _links[from].Generation || !_rules.HasFlag(HopRules.GenerationCheck))
            {
                var answer = _rules.HasFlag(HopRules.UnknownOnce)
                    ? stage.Unknown.OnRun(generation, run)
                    : new FlowMessage(FlowMessageKind.Unknown, _session, run.Epoch, stage.Incarnation, 0);
                Reply(stage.Index, answer, default);
            }

            return;
        }

        if (stage.Incoming.Phase == HopPhase.Fenced && run.Epoch == stage.Incoming.Epoch
            && generation == _links[from].Generation && run.Incarnation == stage.Incarnation)
        {
            Violation = $"stage {stage.Index} gets a row of its own epoch while fenced";
            return;
        }

        var decision = stage.Incoming.OnRun(generation, run);
        Reply(stage.Index, decision.Reply, stage.Incoming.StateWant);
        for (var i = 0; i < decision.Count; i++)
        {
            var row = rows[decision.First + i - run.First];
            if (run.Kind != RowKind.Token)
            {
                stage.Work.Enqueue(row);
                continue;
            }

            if (row.Position != stage.Ids.Count)
            {
                Violation = $"head adopts token {row.Position} when {stage.Ids.Count} is next";
                return;
            }

            stage.Ids.Add(row.History[0]);
            Reply(stage.Index, stage.Incoming.Computed(1), default);
        }
    }

    private void OnMessage(int to, Queue<(long Generation, FlowMessage Message, PositionRange[] Want)> queue)
    {
        var (generation, message, want) = queue.Dequeue();
        var stage = _stages[to];
        if (stage.Outgoing is null)
        {
            return;
        }

        if (stage.Outgoing.OnMessage(generation, message, want) == SenderEvent.StageLost && _resumed)
        {
            Raise();
        }

        Refill(stage);
    }

    // Links.
    private void Cut(int index)
    {
        _links[index].Cut(keepLate: _random.Next(2) == 0);
        _stages[index].Outgoing?.Disconnected();
        _stages[(index + 1) % _stages.Length].Incoming?.Disconnected();
    }

    private void Heal()
    {
        for (var i = 0; i < _links.Length; i++)
        {
            if (_links[i].Generation != 0)
            {
                continue;
            }

            _links[i].Generation = ++_links[i].Highest;
            _stages[i].Outgoing?.Connected(_links[i].Generation);
            var next = _stages[(i + 1) % _stages.Length];
            if (next.Incoming is not null)
            {
                Connect(next.Incoming, next.Index);
            }
        }
    }

    private sealed record Control(Epoch Epoch, int[]? Ids, long? NextIncarnation);

    private sealed record Row(int Position, bool Rebuild, bool Sample, int[] History);

    private sealed class Stage(int index)
    {
        public int Index { get; } = index;

        public long Incarnation { get; set; } = 1;

        public HopReceiver? Incoming { get; set; }

        public HopSender? Outgoing { get; set; }

        public UnknownSessions Unknown { get; private set; } = new(1, 4);

        public List<int> Kv { get; } = [];

        public List<int> Ids { get; set; } = index == 0 ? [10, 11, 12] : [];

        public Dictionary<int, int> Tokens { get; } = [];

        public Dictionary<int, int[]> Journal { get; } = []; // the ids up to each position, as its output was computed

        public Queue<Row> Work { get; } = [];

        public Queue<Control> Control { get; } = [];

        public void Drop()
        {
            (Incoming, Outgoing) = (null, null);
            Kv.Clear();
            Work.Clear();
            Tokens.Clear();
            Journal.Clear();
            Unknown = new UnknownSessions(Incarnation, 4);
            Ids = Index == 0 ? [10, 11, 12] : [];
        }
    }

    private sealed class SimulatedLink
    {
        public long Generation { get; set; }

        public long Highest { get; set; } = 1;

        public List<(long Generation, RowRun Run, Row[] Rows)> Rows { get; private set; } = [];

        public Queue<(long Generation, FlowMessage Message, PositionRange[] Want)> Messages { get; private set; } = [];

        public List<(long Generation, RowRun Run, Row[] Rows)> LateRows { get; private set; } = [];

        public Queue<(long Generation, FlowMessage Message, PositionRange[] Want)> LateMessages { get; private set; } = [];

        public void Cut(bool keepLate)
        {
            Generation = 0;
            (LateRows, LateMessages) = keepLate ? (Rows, Messages) : ([], []);
            (Rows, Messages) = ([], []);
        }

        public void DuplicateRow(Random random)
        {
            if (Rows.Count > 0)
            {
                var index = random.Next(Rows.Count);
                Rows.Insert(random.Next(index, Rows.Count) + 1, Rows[index]);
            }
        }

        public void SwapRows(Random random)
        {
            if (Rows.Count > 1)
            {
                var index = random.Next(Rows.Count - 1);
                (Rows[index], Rows[index + 1]) = (Rows[index + 1], Rows[index]);
            }
        }
    }
}
