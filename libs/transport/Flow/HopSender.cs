using Parallax.Contracts.Identifiers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Flow;

/// <summary>
/// The sending side of one session on one hop (session protocol, rules 3, 4, 5, 7): knows which outputs the stage can
/// send (`out`, its journal), where the next hop is, and what it wants again. Pure: messages in, decisions out; no clock,
/// no I/O. Owned by one loop, not thread-safe. The rows themselves are in a <see cref="RowJournal"/>.
/// </summary>
public sealed class HopSender
{
    private readonly RowKind _kind;
    private readonly int _window;
    private readonly HopRules _rules;
    private PositionSet _out = new();
    private PositionSet _rebuild = new(); // asked for by the next hop and not sent yet
    private PositionSet _missing = new();
    private PositionSet _keptWant = new();
    private FlowMessage _kept; // kind None: nothing kept
    private long _generation;
    private long _nextIncarnation;
    private int _cursor;
    private int _sentUpTo;
    private int _sampleFrom;
    private bool _hasState;

    /// <summary>A sender that is fenced at <paramref name="epoch"/>.</summary>
    /// <param name="epoch">The epoch of the Open.</param>
    /// <param name="window">Most rows sent beyond the last acknowledgement: bounds what the next hop must hold.</param>
    /// <param name="tokens">Whether this is the token link's sender, at the tail.</param>
    public HopSender(Epoch epoch, int window, bool tokens = false)
        : this(epoch, window, tokens, HopRules.All)
    {
    }

    internal HopSender(Epoch epoch, int window, bool tokens, HopRules rules)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        Epoch = epoch;
        (_window, _rules, _kind) = (window, rules, tokens ? RowKind.Token : RowKind.Forward);
    }

    /// <summary>Present epoch.</summary>
    public Epoch Epoch { get; private set; }

    /// <summary>Fenced, running, paused or lost.</summary>
    public HopPhase Phase { get; private set; } = HopPhase.Fenced;

    /// <summary>The next forward position to send.</summary>
    public int Cursor => _cursor;

    /// <summary>Positions that the next hop has said it holds.</summary>
    public int Acknowledged { get; private set; }

    /// <summary>Outputs that can still be sent: the `out` of a FenceAck.</summary>
    public ReadOnlySpan<PositionRange> Out => _out.Ranges;

    /// <summary>A Fence came.</summary>
    public FenceResult Fence(Epoch epoch)
    {
        if (epoch < Epoch)
        {
            return FenceResult.Stale;
        }

        if (epoch == Epoch && Phase != HopPhase.Fenced)
        {
            return FenceResult.AlreadyRunning;
        }

        Epoch = epoch;
        Phase = HopPhase.Fenced;
        _hasState = false;
        if (_kept.Kind != FlowMessageKind.None && _kept.Epoch < epoch)
        {
            _kept = default;
        }

        return FenceResult.Fenced;
    }

    /// <summary>
    /// Resume came; the owner has cut its journal to <paramref name="keep"/> (token link: N). Ignored unless fenced at
    /// this epoch.
    /// </summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="keep">Outputs at and above it are void.</param>
    /// <param name="sampleFrom">N-1: rows from here on are sampled by the tail.</param>
    /// <param name="nextIncarnation">The next hop's incarnation that acknowledged the Fence.</param>
    /// <returns>Whether it took effect.</returns>
    public bool Resume(Epoch epoch, int keep, int sampleFrom, long nextIncarnation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keep);
        if (Phase != HopPhase.Fenced || epoch != Epoch)
        {
            return false;
        }

        Phase = HopPhase.Running;
        _out.Truncate(keep);
        _rebuild.Clear();
        _sampleFrom = sampleFrom;
        _nextIncarnation = nextIncarnation;
        _hasState = !_rules.HasFlag(HopRules.WaitForState);
        _cursor = keep;
        _sentUpTo = 0;
        Acknowledged = 0;
        var kept = _kept;
        _kept = default;
        if (kept.Kind == FlowMessageKind.State && kept.Epoch == epoch && kept.Incarnation == nextIncarnation)
        {
            ApplyState(kept, _keptWant.Ranges);
        }

        return true;
    }

    /// <summary>The link to the next hop is up as connection <paramref name="generation"/>; its State is awaited.</summary>
    public void Connected(long generation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(generation, 0);
        _generation = generation;
        _hasState = !_rules.HasFlag(HopRules.WaitForState);
        _kept = default;
    }

    /// <summary>The link is down.</summary>
    public void Disconnected()
    {
        _generation = 0;
        _hasState = false;
        _kept = default;
    }

    /// <summary>Outputs of [first, first + count) entered the journal. Before they are sent, always.</summary>
    public void Produced(int first, int count) => _out.Add(first, first + count);

    /// <summary>The journal dropped outputs (its memory bound); asked for again, they are rebuilt.</summary>
    public void Forget(int first, int count) => _out.Remove(first, first + count);

    /// <summary>A flow message about this session came from the next hop on connection <paramref name="generation"/>.</summary>
    public SenderEvent OnMessage(long generation, in FlowMessage message, ReadOnlySpan<PositionRange> want)
    {
        if (generation != _generation && _rules.HasFlag(HopRules.GenerationCheck))
        {
            return SenderEvent.None;
        }

        switch (message.Kind)
        {
            case FlowMessageKind.State:
                OnState(message, want);
                return SenderEvent.None;
            case FlowMessageKind.Ack:
                OnAck(message);
                return SenderEvent.None;
            case FlowMessageKind.Stale:
                if (Phase != HopPhase.Running
                    || (message.Epoch != Epoch && _rules.HasFlag(HopRules.StaleNamesEpoch)))
                {
                    return SenderEvent.None;
                }

                Phase = HopPhase.Paused;
                return SenderEvent.Paused;
            case FlowMessageKind.Unknown:
                if (Phase != HopPhase.Running || message.Epoch != Epoch)
                {
                    return SenderEvent.None;
                }

                if (_rules.HasFlag(HopRules.UnknownOnce))
                {
                    Phase = HopPhase.Lost;
                }
                else
                {
                    _cursor = 0;
                }

                return SenderEvent.StageLost;
            default:
                return SenderEvent.None;
        }
    }

    /// <summary>
    /// Rows to send now, rebuild before forward, at most <paramref name="maxRows"/>. Asking changes nothing: call
    /// <see cref="Sent"/> when the link has taken them.
    /// </summary>
    public bool TryNext(int maxRows, out SendRun run)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        run = default;
        if (Phase != HopPhase.Running || !_hasState || _generation == 0)
        {
            return false;
        }

        foreach (var range in _rebuild.Ranges)
        {
            for (var position = range.Start; position < range.End;)
            {
                var ready = Math.Min(_out.RunFrom(position), range.End - position);
                if (ready > 0)
                {
                    run = Run(RowKind.Rebuild, position, Math.Min(ready, maxRows));
                    return true;
                }

                position = NextOut(position, range.End);
            }
        }

        var count = Math.Min(_out.RunFrom(_cursor), (int)Math.Min(int.MaxValue, (long)Acknowledged + _window - _cursor));
        if (count <= 0)
        {
            return false;
        }

        run = Run(_kind, _cursor, Math.Min(count, maxRows));
        return true;
    }

    /// <summary>The link has taken these rows.</summary>
    public void Sent(in SendRun run)
    {
        if (run.Epoch != Epoch || run.Generation != _generation)
        {
            return;
        }

        if (run.Kind == RowKind.Rebuild)
        {
            _rebuild.Remove(run.First, run.First + run.Count);
            return;
        }

        _cursor = run.First + run.Count;
        _sentUpTo = Math.Max(_sentUpTo, _cursor);
    }

    /// <summary>
    /// Positions that the next hop needs, below the stage's own <paramref name="applied"/>, whose outputs are not in the
    /// journal: what <see cref="HopReceiver.Need"/> wants upstream, and what a head recomputes from ids (rule 7). The set
    /// is reused by the next call.
    /// </summary>
    public PositionSet Missing(int applied)
    {
        _missing.Clear();
        if (Phase == HopPhase.Running && _hasState)
        {
            _missing.Add(_rebuild.Ranges);
            _missing.Add(_cursor, applied);
            _missing.Truncate(applied);
            foreach (var range in _out.Ranges)
            {
                _missing.Remove(range.Start, range.End);
            }
        }

        return _missing;
    }

    /// <summary>A sender in the same state that goes its own way from here.</summary>
    internal HopSender Clone()
    {
        var copy = (HopSender)MemberwiseClone();
        (copy._out, copy._rebuild, copy._missing, copy._keptWant) = (_out.Clone(), _rebuild.Clone(), new PositionSet(), _keptWant.Clone());
        return copy;
    }

    /// <summary>
    /// Says all that decides what it does from here on, for tests that compare states. What the next Resume overwrites is
    /// left out while it is fenced.
    /// </summary>
    internal void WriteTo(List<long> state)
    {
        HopReceiver.WriteEpoch(state, Epoch);
        state.Add((long)Phase);
        state.Add(_generation);
        _out.WriteTo(state);
        state.Add((long)_kept.Kind);
        if (_kept.Kind != FlowMessageKind.None)
        {
            HopReceiver.WriteEpoch(state, _kept.Epoch);
            state.Add(_kept.Incarnation);
            state.Add(_kept.Applied);
            _keptWant.WriteTo(state);
        }

        if (Phase != HopPhase.Fenced)
        {
            state.Add(_nextIncarnation);
            state.Add(_cursor);
            state.Add(_sampleFrom);
            state.Add(_rules.HasFlag(HopRules.SampleAgain) ? 0 : _sentUpTo);
            state.Add(Acknowledged);
            state.Add(_hasState ? 1 : 0);
            _rebuild.WriteTo(state);
        }
    }

    private SendRun Run(RowKind kind, int first, int count)
    {
        var sampleFrom = _rules.HasFlag(HopRules.SampleAgain) ? _sampleFrom : Math.Max(_sampleFrom, _sentUpTo);
        return new SendRun(kind, first, count, sampleFrom, Epoch, _nextIncarnation, _generation);
    }

    private int NextOut(int position, int end)
    {
        foreach (var range in _out.Ranges)
        {
            if (range.Start > position)
            {
                return Math.Min(range.Start, end);
            }
        }

        return end;
    }

    private void OnState(in FlowMessage message, ReadOnlySpan<PositionRange> want)
    {
        if (message.Epoch < Epoch)
        {
            return;
        }

        if (Phase == HopPhase.Fenced || message.Epoch > Epoch)
        {
            if (!_rules.HasFlag(HopRules.KeepStateWhileFenced))
            {
                return;
            }

            if (!message.AddsOnly)
            {
                _kept = message;
                _keptWant.Clear();
                _keptWant.Add(want);
            }
            else if (_kept.Kind != FlowMessageKind.None && _kept.Epoch == message.Epoch)
            {
                _keptWant.Add(want);
            }

            return;
        }

        if (Phase == HopPhase.Running && message.Incarnation == _nextIncarnation)
        {
            ApplyState(message, want);
        }
    }

    private void ApplyState(in FlowMessage message, ReadOnlySpan<PositionRange> want)
    {
        if (!message.AddsOnly)
        {
            _cursor = message.Applied;
            Acknowledged = message.Applied;
            _hasState = true;
            _rebuild.Clear();
        }

        _rebuild.Add(want);
    }

    private void OnAck(in FlowMessage message)
    {
        if (Phase != HopPhase.Running || !_hasState || message.Epoch != Epoch || message.Incarnation != _nextIncarnation)
        {
            return;
        }

        if (!_rules.HasFlag(HopRules.AckForwardOnly))
        {
            _cursor = message.Applied;
        }

        _cursor = Math.Max(_cursor, message.Applied);
        Acknowledged = Math.Max(Acknowledged, message.Applied);
    }
}
