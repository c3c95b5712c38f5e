using System.Collections.Concurrent;
using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Worker;

/// <summary>An engine whose sessions say nothing until they are cancelled.</summary>
internal sealed class SilentEngine(LayerRange range, NumericClass? numericClass = null) : ISessionEngine
{
    private readonly ConcurrentDictionary<SessionId, (OpenRequest Request, ISessionSink Sink)> _sessions = new();

    public EngineInfo Info { get; } = new(
        range, numericClass ?? new NumericClass(1, "0123456789abcdef", ResidualPrecision.BF16, "silent"), ContextLimit: 64, MaxSessions: 8, VocabularySize: 100);

    public EngineStats Stats { get; set; } = new();

    public Task<OpenResult> OpenAsync(OpenRequest request, ISessionSink sink, CancellationToken cancellationToken)
    {
        _sessions[request.Session] = (request, sink);
        return Task.FromResult(new OpenResult(0, null, ""));
    }

    public void Start(SessionId session, Epoch epoch, int keep, long nextIncarnation = 0, ImmutableArray<int> answer = default)
    {
    }

    public void Acknowledge(SessionId session, Epoch epoch, int known)
    {
    }

    public void Cancel(SessionId session, Epoch epoch)
    {
        if (_sessions.TryRemove(session, out var found))
        {
            found.Sink.OnFinished(new SessionEnd(session, epoch, FinishReason.Cancelled, found.Request.PromptTokenIds.Length, 0, 0, ""));
        }
    }

    public void RenewLease(SessionId session)
    {
    }

    public EngineStats ReadStats() => Stats;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
