using Parallax.Pipeline.Batching;

namespace Parallax.Testing.Pipeline;

/// <summary>
/// A ring of stages as discrete events: the head launches decode micro-batches with the real <see cref="MicroBatchGate"/>
/// and <see cref="MicroBatchTuner"/>, stages compute whatever has arrived, links carry it on, the tail's tokens return.
/// Times in milliseconds.
/// </summary>
internal sealed class PipelineSimulation
{
    private const string Path = "ring";

    private readonly PipelineSetup _setup;
    private readonly Random _random;
    private readonly SimulatedStage[] _stages;
    private readonly SimulatedLink[] _links;
    private readonly PriorityQueue<Action, (double At, long Order)> _events = new();
    private readonly MicroBatchGate _gate = new();
    private readonly MicroBatchTuner _tuner;
    private readonly Queue<SimulatedSession> _ready = new();
    private readonly Queue<SimulatedSession> _prompts = new();
    private readonly List<double> _intervals = [];
    private readonly Dictionary<int, int> _launches = [];
    private double _now;
    private double _since;
    private long _order;
    private int _decoding;
    private double _wakeAt = double.PositiveInfinity;

    public PipelineSimulation(PipelineSetup setup)
    {
        _setup = setup;
        _random = new Random(setup.Seed);
        _stages = [.. setup.Stages.Select(static cost => new SimulatedStage(cost))];
        _links = [.. setup.Stages.Select(_ => new SimulatedLink(setup))];
        _tuner = new MicroBatchTuner(setup.Stages.Length);
        for (var i = 0; i < setup.Sessions; i++)
        {
            _ready.Enqueue(new SimulatedSession { Decodes = true });
        }

        _decoding = setup.Sessions;
    }

    /// <summary>A session comes at this time, whose prompt is computed before it decodes.</summary>
    public void AddPrompt(double at, int tokens) =>
        Schedule(at, () => _prompts.Enqueue(new SimulatedSession { PromptLeft = tokens }));

    /// <summary>Lets it run until this time.</summary>
    public void RunUntil(double end)
    {
        while (true)
        {
            Start();
            CheckNobodyIdles();
            var running = _stages.Count(static stage => stage.IsBusy);
            var speed = running == 0 ? 1 : Math.Min(1, _setup.Cores / running);
            var next = Math.Min(end, _wakeAt);
            if (_events.TryPeek(out _, out var due))
            {
                next = Math.Min(next, due.At);
            }

            foreach (var stage in _stages.Where(static stage => stage.IsBusy))
            {
                next = Math.Min(next, _now + (stage.Left / speed));
            }

            var passed = next - _now;
            _now = next;
            for (var s = 0; s < _stages.Length; s++)
            {
                if (_stages[s].Advance(passed, speed))
                {
                    Finish(s);
                }
            }

            while (_events.TryPeek(out var happens, out due) && due.At <= _now)
            {
                _events.Dequeue();
                happens();
            }

            if (_now >= end)
            {
                return;
            }
        }
    }

    /// <summary>Measurements begin anew.</summary>
    public void ResetStatistics()
    {
        _since = _now;
        _intervals.Clear();
        _launches.Clear();
        foreach (var stage in _stages)
        {
            stage.Busy = 0;
        }
    }

    public PipelineReport Report()
    {
        var sorted = _intervals.Order().ToArray();
        return new PipelineReport(
            [.. _stages.Select(stage => stage.Busy / (_now - _since))],
            1000 * sorted.Length / (_now - _since),
            sorted.Length == 0 ? 0 : sorted[sorted.Length / 2],
            sorted.Length == 0 ? 0 : sorted[sorted.Length * 99 / 100],
            sorted.Length == 0 ? 0 : sorted[^1],
            _launches.Count == 0 ? 0 : _launches.MaxBy(static launch => launch.Value).Key);
    }

    private TimeSpan Time => TimeSpan.FromMilliseconds(_now);

    private int MicroBatches => _setup.MicroBatches ?? _tuner.M(_decoding);

    private int Allowance => _decoding == 0 ? 0 : _gate.Allowance(Path, MicroBatches, _decoding, _ready.Count, Time);

    private void Schedule(double at, Action happens) => _events.Enqueue(happens, (at, _order++));

    private void Start()
    {
        _wakeAt = double.PositiveInfinity;
        if (!_stages[0].IsBusy)
        {
            Launch();
        }

        foreach (var stage in _stages.Where(static stage => !stage.IsBusy && stage.HasWork))
        {
            stage.Begin(_setup, _decoding > 0, 1 + (_setup.Noise * ((2 * _random.NextDouble()) - 1)));
        }
    }

    /// <summary>The head's next step: a group, if one may be launched, and a bit of the oldest prompts.</summary>
    private void Launch()
    {
        var rows = Allowance;
        if (rows > 0)
        {
            _launches[MicroBatches] = _launches.GetValueOrDefault(MicroBatches) + 1;
            var group = _gate.Launch(Path, rows, Time);
            for (var i = 0; i < rows; i++)
            {
                var session = _ready.Dequeue();
                session.Group = group;
                _stages[0].Enqueue(new SimulatedRows(session, 1, Sample: true));
            }
        }
        else if (_ready.Count > 0)
        {
            _wakeAt = _gate.NextDue(Path, Time) is var due && due < TimeSpan.MaxValue ? due.TotalMilliseconds : _wakeAt;
        }

        var room = _decoding > 0 ? Math.Min(_setup.MixedPrefillTokens, _setup.TokenBudget - rows) : _setup.TokenBudget;
        while (room > 0 && _prompts.TryPeek(out var prompt))
        {
            var count = Math.Min(room, prompt.PromptLeft);
            room -= count;
            prompt.PromptLeft -= count;
            _stages[0].Enqueue(new SimulatedRows(prompt, count, Sample: prompt.PromptLeft == 0));
            _tuner.NotePrefill();
            if (prompt.PromptLeft == 0)
            {
                _prompts.Dequeue();
            }
        }
    }

    private void Finish(int s)
    {
        var step = _stages[s].Running;
        if (s < _stages.Length - 1)
        {
            _links[s].Enqueue(step);
            Send(s);
        }
        else if (step.Where(static rows => rows.Sample).Select(static rows => rows.Session).ToList() is { Count: > 0 } sessions)
        {
            Schedule(_now + _setup.LatencyMs, () => TakeTokens(sessions));
        }

        step.Clear();
    }

    private void Send(int s)
    {
        if (_links[s].IsSending || _links[s].Next() is not var (frame, ms))
        {
            return;
        }

        _links[s].IsSending = true;
        Schedule(_now + ms, () =>
        {
            _links[s].IsSending = false;
            Send(s);
        });
        Schedule(_now + ms + _setup.LatencyMs, () => frame.ForEach(rows => _stages[s + 1].Enqueue(rows)));
    }

    private void TakeTokens(List<SimulatedSession> sessions)
    {
        var decoded = 0;
        foreach (var session in sessions)
        {
            if (session.Decodes)
            {
                _gate.Returned(Path, session.Group, Time);
                decoded++;
                if (session.LastTokenAt >= _since)
                {
                    _intervals.Add(_now - session.LastTokenAt);
                }
            }
            else
            {
                session.Decodes = true;
                _decoding++;
            }

            session.LastTokenAt = _now;
            _ready.Enqueue(session);
        }

        _tuner.OnTokens(decoded, _decoding, Time);
    }

    private void CheckNobodyIdles()
    {
        if (!_stages[0].IsBusy && (_prompts.Count > 0 || Allowance > 0))
        {
            throw new InvalidOperationException($"the head idles at {_now} ms though it could compute");
        }

        for (var s = 0; s < _stages.Length; s++)
        {
            if (!_stages[s].IsBusy && _stages[s].HasWork)
            {
                throw new InvalidOperationException($"stage {s} idles at {_now} ms with rows in its queue");
            }
        }
    }
}
