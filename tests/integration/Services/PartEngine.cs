using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.IntegrationTests.Services;

/// <summary>Holds a loaded part and says what a script tells it to: a stage without its neighbours.</summary>
internal sealed class PartEngine(LoadedShard loaded, ScriptedEngine script) : ISessionEngine
{
    public EngineInfo Info { get; } = script.Info with { Range = loaded.Shard.Range, NumericClass = loaded.Shard.NumericClass };

    public bool IsDisposed { get; private set; }

    public Task<OpenResult> OpenAsync(OpenRequest request, ISessionSink sink, CancellationToken cancellationToken) =>
        script.OpenAsync(request, sink, cancellationToken);

    public void Start(SessionId session, Epoch epoch, int keep, long nextIncarnation = 0, ImmutableArray<int> answer = default) =>
        script.Start(session, epoch, keep, nextIncarnation, answer);

    public void Acknowledge(SessionId session, Epoch epoch, int known) => script.Acknowledge(session, epoch, known);

    public void Cancel(SessionId session, Epoch epoch) => script.Cancel(session, epoch);

    public void RenewLease(SessionId session) => script.RenewLease(session);

    public EngineStats ReadStats() => script.ReadStats();

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        loaded.Shard.Dispose();
        return ValueTask.CompletedTask;
    }
}
