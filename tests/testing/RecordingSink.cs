using Parallax.Runtime.Execution;

namespace Parallax.Testing;

/// <summary>Keeps what a session emitted; complains about tokens out of order and about anything after the end.</summary>
internal sealed class RecordingSink : ISessionSink
{
    // Guards the lists: the loop's thread writes, the test reads.
    private readonly Lock _gate = new();
    private readonly List<int> _tokens = [];
    private readonly List<float> _logProbs = [];
    private readonly TaskCompletionSource<SessionEnd> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _complaint;

    /// <summary>Called with each token, on the loop.</summary>
    public Action<EmittedToken>? Token { get; init; }

    /// <summary>Index of the first token that is expected.</summary>
    public int First { get; init; }

    /// <summary>The end, once it has come.</summary>
    public Task<SessionEnd> Finished => _finished.Task;

    /// <summary>The token ids so far.</summary>
    public int[] Tokens
    {
        get
        {
            lock (_gate)
            {
                return _complaint is null ? [.. _tokens] : throw new InvalidOperationException(_complaint);
            }
        }
    }

    /// <summary>The log-probabilities so far, each token's own and then its alternatives'; NaN where none was asked for.</summary>
    public float[] LogProbs
    {
        get
        {
            lock (_gate)
            {
                return [.. _logProbs];
            }
        }
    }

    public void OnToken(in EmittedToken token)
    {
        lock (_gate)
        {
            if (token.Index != First + _tokens.Count || _finished.Task.IsCompleted)
            {
                _complaint ??= $"token {token.Index} of {token.Session} came as number {First + _tokens.Count}, ended: {_finished.Task.IsCompleted}";
            }

            _tokens.Add(token.TokenId);
            _logProbs.Add(token.LogProb);
            _logProbs.AddRange(token.TopLogProbs.IsDefault ? [] : token.TopLogProbs.Select(static top => top.LogProb));
        }

        Token?.Invoke(token);
    }

    public void OnFinished(in SessionEnd end)
    {
        if (!_finished.TrySetResult(end))
        {
            lock (_gate)
            {
                _complaint ??= $"{end.Session} ended twice";
            }
        }
    }
}
