using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.Cli.Bench;

/// <summary>A session that notes when each of its tokens came.</summary>
internal sealed class TimedSession(ISessionEngine engine, TimeProvider clock, int promptLength, int tokens) : ISessionSink
{
    // The engine runs at most 32 tokens ahead of what has been acknowledged.
    private const int AcknowledgeEvery = 16;

    private readonly long[] _stamps = new long[tokens];
    private readonly TaskCompletionSource<long[]> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    public SessionId Id { get; } = SessionId.New();

    public static Epoch Epoch { get; }

    /// <summary>A timestamp per token, once the session has ended.</summary>
    public Task<long[]> Stamps => _done.Task;

    public void OnToken(in EmittedToken token)
    {
        _stamps[_count++] = clock.GetTimestamp();
        if (_count % AcknowledgeEvery == 0)
        {
            engine.Acknowledge(Id, Epoch, promptLength + _count);
        }
    }

    public void OnFinished(in SessionEnd end)
    {
        if (_count == tokens)
        {
            _done.TrySetResult(_stamps);
        }
        else
        {
            _done.TrySetException(new BenchException($"a session ended ({end.Reason}) after {_count} of {tokens} tokens. {end.Error}"));
        }
    }
}
