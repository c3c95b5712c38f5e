using Parallax.Contracts.Identifiers;
using Parallax.Transport.Framing;

namespace Parallax.Transport.Flow;

/// <summary>
/// The receiving side of one session on one hop (session protocol, rule 4): says per run what to compute and what to
/// answer. Pure: messages in, decisions out; no clock, no I/O. Owned by one loop, not thread-safe.
/// </summary>
/// <remarks>
/// Rows given out by <see cref="OnRun"/> count as accepted at once, so that runs may follow back to back, and as applied
/// when <see cref="Computed"/> says so. On Fence the owner discards what it accepted and has not computed.
/// Every method that may have something to say to the previous hop returns a message; kind None says nothing.
/// </remarks>
public sealed class HopReceiver
{
    private readonly SessionId _session;
    private readonly long _incarnation;
    private readonly bool _tokens;
    private readonly HopRules _rules;
    private PositionSet _want = new();       // wanted inputs that have not come
    private PositionSet _rebuilding = new(); // wanted inputs that have come and are being recomputed
    private PositionRange[] _stateWant = []; // room is made when there is first something to say
    private int _stateWantCount;
    private long _generation;
    private bool _stated; // State was sent on this connection and row `accepted` has not come since
    private Epoch _staleAnswered;
    private long _staleAnsweredOn;
    private Epoch _unknownAnswered;
    private long _unknownAnsweredOn;

    /// <summary>A receiver that is fenced at <paramref name="epoch"/> (Open is the Fence of n = 0).</summary>
    /// <param name="session">The session.</param>
    /// <param name="incarnation">This worker's incarnation.</param>
    /// <param name="epoch">The epoch of the Open.</param>
    /// <param name="tokens">Whether this is the token link's receiver, at the head.</param>
    /// <param name="applied">Positions held from the prefix cache.</param>
    public HopReceiver(SessionId session, long incarnation, Epoch epoch, bool tokens = false, int applied = 0)
        : this(session, incarnation, epoch, tokens, applied, HopRules.All)
    {
    }

    internal HopReceiver(SessionId session, long incarnation, Epoch epoch, bool tokens, int applied, HopRules rules)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(applied);
        (_session, _incarnation, _tokens, _rules) = (session, incarnation, tokens, rules);
        (Epoch, Applied, Accepted) = (epoch, applied, applied);
    }

    /// <summary>Present epoch.</summary>
    public Epoch Epoch { get; private set; }

    /// <summary>Fenced or running.</summary>
    public HopPhase Phase { get; private set; } = HopPhase.Fenced;

    /// <summary>Leading positions whose KV is held without a gap (token link: adopted ids).</summary>
    public int Applied { get; private set; }

    /// <summary>Leading positions that are applied or given out to be computed.</summary>
    public int Accepted { get; private set; }

    /// <summary>Inputs below `applied` that are needed again and have not come.</summary>
    public ReadOnlySpan<PositionRange> Want => _want.Ranges;

    /// <summary>The intervals of the State that the last call returned.</summary>
    public ReadOnlySpan<PositionRange> StateWant => _stateWant.AsSpan(0, _stateWantCount);

    /// <summary>A Fence came (rule 5). What was accepted and not computed is void: the owner discards it.</summary>
    public FenceResult Fence(Epoch epoch)
    {
        if (epoch < Epoch)
        {
            return FenceResult.Stale;
        }

        if (epoch == Epoch && Phase == HopPhase.Running)
        {
            return FenceResult.AlreadyRunning;
        }

        Epoch = epoch;
        Phase = HopPhase.Fenced;
        Accepted = Applied;
        _rebuilding.Clear();
        return FenceResult.Fenced;
    }

    /// <summary>
    /// Resume(keep) came, the owner has cut its KV to <paramref name="keep"/> (token link: N adopted ids). Ignored,
    /// with nothing returned, unless fenced at this epoch.
    /// </summary>
    public FlowMessage Resume(Epoch epoch, int keep)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keep);
        if (Phase != HopPhase.Fenced || epoch != Epoch)
        {
            return default;
        }

        Phase = HopPhase.Running;
        Applied = _tokens ? keep : Math.Min(Applied, keep); // ids come from the router: the head has them all
        Accepted = Applied;
        _want.Clear();
        _rebuilding.Clear();
        _stated = false;
        return _rules.HasFlag(HopRules.StateOnResume) ? State() : default;
    }

    /// <summary>
    /// While it is fenced, KV came from elsewhere (rule 7), or went: so many leading positions are held now. Nothing is said
    /// before Resume.
    /// </summary>
    /// <exception cref="InvalidOperationException">It runs: the previous hop has been told what it holds.</exception>
    public void Restored(int applied)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(applied);
        if (Phase != HopPhase.Fenced)
        {
            throw new InvalidOperationException($"session {_session} runs: positions come over its link alone");
        }

        (Applied, Accepted) = (applied, applied);
    }

    /// <summary>The link to the previous hop is up as connection <paramref name="generation"/>, above all earlier ones.</summary>
    public FlowMessage Connected(long generation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(generation, 0);
        _generation = generation;
        _stated = false;
        return Phase == HopPhase.Running && _rules.HasFlag(HopRules.StateOnConnect) ? State() : default;
    }

    /// <summary>The link is down: nothing is said until it is up again.</summary>
    public void Disconnected() => _generation = 0;

    /// <summary>A run came on connection <paramref name="generation"/>.</summary>
    public RunDecision OnRun(long generation, in RowRun run)
    {
        if (generation != _generation && _rules.HasFlag(HopRules.GenerationCheck))
        {
            return default;
        }

        if (run.Incarnation != _incarnation && _rules.HasFlag(HopRules.IncarnationCheck))
        {
            return Answer(Unknown(run.Epoch));
        }

        if (run.Epoch != Epoch && _rules.HasFlag(HopRules.EpochCheck))
        {
            // Above mine: no correct sender sends it.
            return run.Epoch < Epoch ? Answer(Stale(run.Epoch)) : default;
        }

        if (Phase != HopPhase.Running && _rules.HasFlag(HopRules.DropWhileFenced))
        {
            return default;
        }

        return run.Kind switch
        {
            RowKind.Forward when !_tokens => Forward(run),
            RowKind.Token when _tokens => Forward(run),
            RowKind.Rebuild when !_tokens => Rebuild(run),
            _ => new RunDecision(RunAction.Refuse, 0, 0, default),
        };
    }

    /// <summary>The owner has computed the next <paramref name="count"/> accepted rows; returns the acknowledgement.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than was accepted.</exception>
    public FlowMessage Computed(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Accepted - Applied);
        Applied += count;
        return Ack();
    }

    /// <summary>The owner has recomputed the outputs of these positions.</summary>
    public void Rebuilt(int first, int count) => _rebuilding.Remove(first, first + count);

    /// <summary>
    /// States what the stage needs again (<see cref="HopSender.Missing"/>). New positions are said in a State that only
    /// adds; positions that are no longer missing are forgotten silently.
    /// </summary>
    public FlowMessage Need(PositionSet missing)
    {
        ArgumentNullException.ThrowIfNull(missing);
        if (Phase != HopPhase.Running || !_rules.HasFlag(HopRules.WantMissing) || (missing.IsEmpty && _want.IsEmpty))
        {
            return default;
        }

        var added = new PositionSet();
        added.Add(missing.Ranges);
        added.Truncate(Applied);
        Subtract(added, _want.Ranges);
        Subtract(added, _rebuilding.Ranges);
        var gone = new PositionSet();
        gone.Add(_want.Ranges);
        Subtract(gone, missing.Ranges);
        Subtract(_want, gone.Ranges);
        if (added.IsEmpty)
        {
            return default;
        }

        _want.Add(added.Ranges);
        if (_generation == 0)
        {
            return default;
        }

        _stateWantCount = CopyToState(added);
        return new FlowMessage(FlowMessageKind.State, _session, Epoch, _incarnation, Accepted, AddsOnly: true);
    }

    /// <summary>The session's blocks were taken (rule 11): everything is to come again.</summary>
    public FlowMessage Evict()
    {
        Applied = 0;
        var state = DropAccepted();
        return _rules.HasFlag(HopRules.StateOnEvict) ? state : default;
    }

    /// <summary>
    /// The owner has thrown away rows that it had accepted, or a frame was lost on a live connection: states where the
    /// previous hop is to go on.
    /// </summary>
    public FlowMessage DropAccepted()
    {
        Accepted = Applied;
        _want.Add(_rebuilding.Ranges);
        _rebuilding.Clear();
        _want.Truncate(Applied);
        return Phase == HopPhase.Running ? State() : default;
    }

    /// <summary>A receiver in the same state that goes its own way from here.</summary>
    internal HopReceiver Clone()
    {
        var copy = (HopReceiver)MemberwiseClone();
        (copy._want, copy._rebuilding, copy._stateWant, copy._stateWantCount) = (_want.Clone(), _rebuilding.Clone(), [], 0);
        return copy;
    }

    /// <summary>
    /// Says all that decides what it does from here on, for tests that compare states. What the next Resume overwrites is
    /// left out while it is fenced.
    /// </summary>
    internal void WriteTo(List<long> state)
    {
        WriteEpoch(state, Epoch);
        state.Add((long)Phase);
        state.Add(Applied);
        state.Add(Accepted);
        state.Add(_generation);
        WriteEpoch(state, _staleAnswered);
        state.Add(_staleAnsweredOn);
        WriteEpoch(state, _unknownAnswered);
        state.Add(_unknownAnsweredOn);
        if (Phase != HopPhase.Fenced)
        {
            state.Add(_stated ? 1 : 0);
            _want.WriteTo(state);
            _rebuilding.WriteTo(state);
        }
    }

    internal static void WriteEpoch(List<long> state, Epoch epoch)
    {
        state.Add(epoch.Term);
        state.Add(epoch.RouterId.GetHashCode());
        state.Add(epoch.N);
    }

    private int CopyToState(PositionSet want)
    {
        if (_stateWant.Length == 0 && !want.IsEmpty)
        {
            _stateWant = new PositionRange[FrameLimits.MaxWantIntervals];
        }

        return want.CopyCovering(_stateWant);
    }

    private static void Subtract(PositionSet from, ReadOnlySpan<PositionRange> ranges)
    {
        foreach (var range in ranges)
        {
            from.Remove(range.Start, range.End);
        }
    }

    private RunDecision Forward(in RowRun run)
    {
        if (run.First > Accepted)
        {
            if (!_rules.HasFlag(HopRules.GapCheck))
            {
                Accepted = run.End;
                return new RunDecision(RunAction.Compute, run.First, run.Count, default);
            }

            return _stated && _rules.HasFlag(HopRules.StateOnce) ? default : Answer(State());
        }

        if (run.End <= Accepted)
        {
            return Answer(run.First < Applied ? Ack() : default);
        }

        var first = Accepted;
        Accepted = run.End;
        _stated = false;
        return new RunDecision(RunAction.Compute, first, run.End - first, default);
    }

    private RunDecision Rebuild(in RowRun run)
    {
        if (!_rules.HasFlag(HopRules.RebuildBelowApplied))
        {
            return Answer(Ack());
        }

        // Only what is wanted: what came twice is not worth the work.
        if (!_want.TryHull(run.First, Math.Min(run.End, Applied), out var hull))
        {
            return default;
        }

        _want.Remove(hull.Start, hull.End);
        _rebuilding.Add(hull.Start, hull.End);
        return new RunDecision(RunAction.Rebuild, hull.Start, hull.Count, default);
    }

    private static RunDecision Answer(FlowMessage reply) => new(RunAction.Drop, 0, 0, reply);

    private FlowMessage State()
    {
        if (_generation == 0)
        {
            return default;
        }

        _stated = true;
        _stateWantCount = CopyToState(_want);
        return new FlowMessage(FlowMessageKind.State, _session, Epoch, _incarnation, Accepted);
    }

    private FlowMessage Ack() => Phase == HopPhase.Running && _generation != 0
        ? new FlowMessage(FlowMessageKind.Ack, _session, Epoch, _incarnation, Applied)
        : default;

    private FlowMessage Stale(Epoch epoch)
    {
        if (_generation == 0 || (_staleAnsweredOn == _generation && _staleAnswered == epoch))
        {
            return default;
        }

        (_staleAnswered, _staleAnsweredOn) = (epoch, _generation);
        return new FlowMessage(FlowMessageKind.Stale, _session, epoch, _incarnation, 0);
    }

    private FlowMessage Unknown(Epoch epoch)
    {
        if (_generation == 0
            || (_unknownAnsweredOn == _generation && _unknownAnswered == epoch && _rules.HasFlag(HopRules.UnknownOnce)))
        {
            return default;
        }

        (_unknownAnswered, _unknownAnsweredOn) = (epoch, _generation);
        return new FlowMessage(FlowMessageKind.Unknown, _session, epoch, _incarnation, 0);
    }
}
