using Parallax.Contracts.Identifiers;
using Parallax.Pipeline.Links;
using Parallax.Runtime.Execution;

namespace Parallax.Pipeline.Stages;

/// <summary>
/// The engine of a shard that is one stage of pipelines. Sessions need a path; tokens come out of the head's engine.
/// </summary>
public sealed class StageEngine : ISessionEngine
{
    /// <summary>Starts the engine.</summary>
    /// <param name="shard">The layers. The engine owns it from here on and disposes it on its thread.</param>
    /// <param name="samplers">Makes each session's sampler (used by a tail).</param>
    /// <param name="links">The worker's links; outlive the engine.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="timeProvider">Clock; null for the system's.</param>
    public StageEngine(IModelShard shard, ITokenSamplerFactory samplers, StageLinks links, StageEngineOptions? options = null, TimeProvider? timeProvider = null) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public EngineInfo Info => throw new NotImplementedException();

    /// <summary>Why the engine is not healthy; null when it is.</summary>
    public string? Fault => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task<OpenResult> OpenAsync(OpenRequest request, ISessionSink sink, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Start(SessionId session, Epoch epoch, int keep, long nextIncarnation = 0) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Acknowledge(SessionId session, Epoch epoch, int known) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Cancel(SessionId session, Epoch epoch) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void RenewLease(SessionId session) => throw new NotImplementedException();

    /// <inheritdoc/>
    public EngineStats ReadStats() => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
