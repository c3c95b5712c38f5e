using System.Collections.Concurrent;
using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Pipeline.Links;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.Execution;
using Parallax.Transport.Links;

namespace Parallax.Pipeline.Stages;

/// <summary>
/// The engine of a shard that is one stage of pipelines. Sessions need a path; tokens come out of the head's engine.
/// Thread-safe.
/// </summary>
public sealed class StageEngine : ISessionEngine
{
    private readonly ConcurrentDictionary<Link, LinkWire> _wires = new();
    private readonly StageLinks _links;
    private readonly StageLoop _loop;
    private readonly Executor _executor;

    /// <summary>Starts the engine.</summary>
    /// <param name="shard">The layers. The engine owns it from here on and disposes it on its thread.</param>
    /// <param name="samplers">Makes each session's sampler (used by a tail).</param>
    /// <param name="links">The worker's links; outlive the engine.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="timeProvider">Clock; null for the system's.</param>
    /// <exception cref="ArgumentException">The shard is a whole model, or options make no sense (all are named).</exception>
    public StageEngine(
        IModelShard shard, ITokenSamplerFactory samplers, StageLinks links, StageEngineOptions? options = null, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(shard);
        ArgumentNullException.ThrowIfNull(samplers);
        ArgumentNullException.ThrowIfNull(links);
        options ??= new StageEngineOptions();
        _links = links;
        _loop = new StageLoop(shard, options, samplers, new Neighbours(this));
        _executor = new Executor(shard, _loop, options.Executor, timeProvider);
        links.Register(this);
    }

    /// <inheritdoc/>
    public EngineInfo Info => _executor.Info;

    /// <summary>Why the engine is not healthy; null when it is.</summary>
    public string? Fault => _executor.Fault;

    /// <inheritdoc/>
    public Task<OpenResult> OpenAsync(OpenRequest request, ISessionSink sink, CancellationToken cancellationToken) =>
        _executor.OpenAsync(request, sink, cancellationToken);

    /// <inheritdoc/>
    public void Start(SessionId session, Epoch epoch, int keep, long nextIncarnation = 0, ImmutableArray<int> answer = default) =>
        _executor.Start(session, epoch, keep, nextIncarnation, answer);

    /// <inheritdoc/>
    public void Mirror(SessionId session, Epoch epoch, ImmutableArray<MirrorTarget> targets) => _executor.Mirror(session, epoch, targets);

    /// <inheritdoc/>
    public void Acknowledge(SessionId session, Epoch epoch, int known) => _executor.Acknowledge(session, epoch, known);

    /// <inheritdoc/>
    public void Cancel(SessionId session, Epoch epoch) => _executor.Cancel(session, epoch);

    /// <inheritdoc/>
    public void RenewLease(SessionId session) => _executor.RenewLease(session);

    /// <summary>As <see cref="Executor.HandOverBlocksAsync"/>.</summary>
    public Task<BlockDrainProgress> HandOverBlocksAsync(
        IProgress<BlockDrainProgress>? progress = null, CancellationToken cancellationToken = default) =>
        _executor.HandOverBlocksAsync(progress, cancellationToken);

    /// <inheritdoc/>
    public EngineStats ReadStats() => _executor.ReadStats();

    /// <summary>As <see cref="Executor.DisposeAsync"/>; the links stay.</summary>
    public async ValueTask DisposeAsync()
    {
        await _executor.DisposeAsync();
        _links.Unregister(this);
        _loop.Dispose();
    }

    internal bool Post(in Command command) => _executor.Post(command);

    internal LinkWire WireOf(Link link) => _wires.GetOrAdd(link, static (key, engine) => new LinkWire(key, engine), this);

    private sealed class Neighbours(StageEngine engine) : IStageNeighbours
    {
        public string WorkerId => engine._links.WorkerId;

        public long Incarnation => engine._links.Incarnation;

        public string? Connect(StageAddress neighbour) => engine._links.Connect(neighbour);

        public void Claim(SessionId session) => engine._links.Claim(session, engine);

        public void Release(SessionId session) => engine._links.Release(session, engine);

        public void Wake() => engine._executor.Wake();

        public bool IsElsewhere(SessionId session) => engine._links.IsElsewhere(session, engine);
    }
}
