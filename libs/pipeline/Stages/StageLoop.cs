using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Batching;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.Execution;
using Parallax.Runtime.KvCache;
using Parallax.Transport.Buffers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.Pipeline.Stages;

/// <summary>
/// One stage of pipelines: rows come in over a link (at the head: from token ids), a range of layers is computed, rows go
/// out over a link (at the tail: sampled tokens, to the head). The hops follow the session protocol, rules 2 to 7, 11 to
/// 13; see <see cref="HopReceiver"/> and <see cref="HopSender"/>.
/// </summary>
internal sealed partial class StageLoop : SessionLoop<StageSession>, IDisposable
{
    private readonly StageEngineOptions _stage;
    private readonly IStageNeighbours _neighbours;
    private readonly TensorBufferPool _pool;
    private readonly JournalBudget _budget;
    private readonly JournalSpill? _spill;
    private readonly Dictionary<string, StagePeer> _peers = new(StringComparer.Ordinal);
    private readonly int _width;
    private readonly TensorType _rowType;
    private readonly int _rowBytes;
    private readonly bool _isHead;
    private readonly bool _isTail;

    public StageLoop(
        IModelShard shard, StageEngineOptions options, ITokenSamplerFactory samplers, IStageNeighbours neighbours, TensorBufferPool? pool = null)
        : base(shard, options.Executor, LimitsOf(shard, options.Executor), samplers, null, OutputsOf(shard, options))
    {
        if (shard.HasEmbedding && shard.HasHead)
        {
            throw new ArgumentException($"the shard holds all {shard.Range.Count} layers: it is no stage", nameof(shard));
        }

        options.Validate();
        _stage = options;
        _neighbours = neighbours;
        _pool = pool ?? TensorBufferPool.Shared;
        _budget = new JournalBudget(options.JournalBytes);
        _width = shard.Spec.HiddenSize;
        _rowType = RowTypeOf(shard);
        _rowBytes = TensorTypes.RowBytes(_rowType, _width);
        _isHead = shard.HasEmbedding;
        _isTail = shard.HasHead;

        // A tail's rows are tokens: a few bytes each.
        _spill = _isTail || options.JournalSpillFolder is not { } folder ? null : new JournalSpill(
            new JournalSpillOptions { Folder = folder, Bytes = options.JournalSpillBytes, ChunkBytes = RowJournal.ChunkBytesOf(_rowBytes) },
            neighbours.Wake,
            options.Logger,
            _pool);
    }

    /// <summary>Bytes that the journals hold (tests).</summary>
    internal long JournalBytes => _budget.Used;

    /// <summary>The file that takes what they have no memory for (tests, benchmarks).</summary>
    internal JournalSpill? Spill => _spill;

    /// <summary>Frees what frames and journals hold.</summary>
    public void Dispose()
    {
        foreach (var peer in _peers.Values)
        {
            peer.Dispose();
        }

        _spill?.Dispose();
    }

    protected override string? FindMisplaced(OpenRequest request)
    {
        if (request.Path is not { } path)
        {
            return $"this engine holds layers {Info.Range} of {Shard.Spec.Layers.Length}: an Open must name the path over the others";
        }

        if (path.FindError(Shard.Spec.Layers.Length) is { } error)
        {
            return error;
        }

        if (path.Own.Range != Info.Range)
        {
            return $"the path has this stage compute layers {path.Own.Range}; it holds {Info.Range}";
        }

        if (path.Own.WorkerId != _neighbours.WorkerId)
        {
            return $"the path means worker '{path.Own.WorkerId}'; this is '{_neighbours.WorkerId}'";
        }

        return _neighbours.Connect(path.Next);
    }

    protected override ITokenSampler CreateSampler(OpenRequest request, ITokenSamplerFactory samplers) =>
        _isTail ? base.CreateSampler(request, samplers) : NoSampler.Instance;

    protected override StageSession CreateSession(OpenRequest request, ISessionSink sink, ITokenSampler sampler, KvSequence sequence)
    {
        var path = request.Path!;
        var rowBytes = _isTail ? TokenRows.BytesOf(request.Sampling) : _rowBytes;
        return new StageSession(
            request,
            sink,
            sampler,
            sequence,
            PeerOf(path.Previous.WorkerId),
            PeerOf(path.Next.WorkerId),
            new RowJournal(_pool, _budget, rowBytes, _spill));
    }

    protected override void OnOpened(StageSession session)
    {
        session.Open(_neighbours.Incarnation, _stage.WindowRows);
        session.ConnectReceiver();
        session.ConnectSender();
        _neighbours.Claim(session.Id);
    }

    protected override void OnFenced(StageSession session, OpenRequest request)
    {
        LeaveGroup(session);
        session.FenceHops(request.Epoch, PeerOf(request.Path!.Previous.WorkerId), PeerOf(request.Path.Next.WorkerId));
        session.FollowReceiver();
    }

    protected override void OnRestored(StageSession session)
    {
        session.Flow.Restored(session.Sequence.Length);
        session.FollowReceiver();
    }

    protected override void OnStarted(StageSession session, int keep, long nextIncarnation)
    {
        // All stages go on from the positions that the router names, so nothing more may be matched. One that has less, since
        // blocks were reclaimed or it is new on the path, says so to the previous one.
        session.MayMatch = false;
        session.Journal.Truncate(session.Flow.KeptOutputs(keep, session.KnownIds));
        var state = session.IsStandby
            ? session.Flow.ResumeReceiver(session.Epoch, session.Sequence.Length, session.KnownIds)
            : session.Flow.Resume(session.Epoch, keep, session.Sequence.Length, session.KnownIds, nextIncarnation);
        session.Previous.Say(state, session.Receiver.StateWant);
        session.FollowReceiver();
        Unsettle(session);
        if (session is { IsStandby: false, Next.Generation: 0 })
        {
            // It may be up in a moment, or never: the router judges.
            session.Sink.OnStageLost(new StageLoss(session.Id, session.Epoch, session.Next.Id, IsUnknownThere: false));
        }
    }

    public override void Mirror(SessionId id, Epoch epoch, ImmutableArray<MirrorTarget> targets)
    {
        if (Table.Find(id, epoch) is not { IsStandby: false } session || session.State == SessionState.Opened)
        {
            return;
        }

        session.Mirrors.Clear();
        foreach (var target in targets)
        {
            if (_neighbours.Connect(new StageAddress(target.WorkerId, target.Address, session.Path.Next.Range)) is null)
            {
                session.Mirrors.Add(new StageMirror(id, PeerOf(target.WorkerId), target, session.Sender, _stage.WindowRows, _isTail));
            }
        }

        Unsettle(session);
    }

    protected override void OnRemoved(StageSession session)
    {
        _neighbours.Release(session.Id);
        LeaveGroup(session);
        session.DropRows();
        session.Journal.Dispose();
        session.Next.InFlightBytes -= session.InFlightBytes;
        session.InFlightBytes = 0;
    }

    protected override SessionView ViewOf(StageSession session)
    {
        var phase = session.Phase;
        if (phase == SessionPhase.Decoding && session.Remaining > 1)
        {
            phase = SessionPhase.Prefilling; // rows that come again, after a cut
        }

        var paused = _isHead ? session.IsPaused(Options.RunAhead) : session.Remaining == 0;
        return new SessionView
        {
            Phase = phase,
            Client = session.Client.Slot,
            Applied = session.Sequence.Length,
            Remaining = session.Remaining,
            Known = session.KnownPositions,
            CoveredBlocks = session.Sequence.CoveredBlocks,
            Paused = paused,
            Idle = _isHead && (session.AwaitsToken || (phase == SessionPhase.Decoding && !session.MayDecode)),
            Bypassed = session.Bypassed,
            ReadySince = session.ReadySince,
            NextBlock = session.MayMatch ? PagedKvCache.NextBlockHash(session.Sequence) : null,
        };
    }

    protected override void Preempt(StageSession session)
    {
        session.ComputedBefore = Math.Max(session.ComputedBefore, session.Sequence.Length);
        Cache.Release(session.Sequence);
        if (_isHead)
        {
            session.MayMatch = session.State != SessionState.Opened;
        }
        else
        {
            session.DropRows();
            session.UnacknowledgedRows = 0;
            session.Previous.Say(session.Receiver.Evict(), session.Receiver.StateWant);
            session.FollowReceiver();
        }

        if (session.IsRunning)
        {
            session.State = SessionState.Waiting;
            session.Preemptions++;
            LeaveGroup(session);
            Counters.AddPreemption();
        }
        else if (session.Preemptions == 0)
        {
            session.CachedTokens = 0;
        }
    }

    private static BatchLimits LimitsOf(IModelShard shard, ExecutorOptions options) => shard.HasEmbedding
        ? options.Limits
        // Behind the head nobody waits for a place: the head admits, and its sessions' rows must not be held up here.
        : new BatchLimits(options.MaxSessions, Math.Max(options.TokenBudget, options.MaxSessions), options.MixedPrefillTokens);

    private static TensorType RowTypeOf(IModelShard shard) => shard.NumericClass switch
    {
        { Links: LinkPrecision.Blocks8 } => TensorType.Q8Block,
        { Residual: ResidualPrecision.BF16 } => TensorType.Bf16,
        _ => TensorType.F32,
    };

    private static BlockOutputs? OutputsOf(IModelShard shard, StageEngineOptions options) =>
        options.KeepOutputs && !shard.HasHead && shard.NumericClass.Links == LinkPrecision.Exact
            ? new BlockOutputs(shard.KvBlockCounts[0], TensorTypes.RowBytes(RowTypeOf(shard), shard.Spec.HiddenSize))
            : null;

    private StagePeer PeerOf(string id)
    {
        if (!_peers.TryGetValue(id, out var peer))
        {
            peer = new StagePeer(id, _neighbours.Incarnation, _pool);
            _peers.Add(id, peer);
        }

        return peer;
    }
}
