using System.Diagnostics;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;

namespace Parallax.PipelineBenchmark.Writes;

/// <summary>One session of a measurement; notes when its tokens come.</summary>
internal sealed class DecodeSession(ISessionEngine engine, int[] prompt, int tokens) : ISessionSink
{
    private static readonly Epoch First = new(1, Guid.Empty, 0);

    private readonly SessionId _id = SessionId.New();
    private readonly TaskCompletionSource<SessionEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>When each token came, in ticks of the stopwatch.</summary>
    public List<long> Times { get; } = [];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var opened = await engine.OpenAsync(
            new OpenRequest
            {
                Session = _id,
                Epoch = First,
                PromptTokenIds = [.. prompt],
                Sampling = new SamplingParameters { MaxTokens = tokens, Temperature = 0 },
            },
            this,
            cancellationToken);
        if (opened.Refusal is not null)
        {
            throw new InvalidOperationException(opened.Message);
        }

        engine.Start(_id, First, opened.CachedPrefix);
        var end = await _end.Task.WaitAsync(cancellationToken);
        if (end.Reason != FinishReason.Length)
        {
            throw new InvalidOperationException($"a session ended as {end.Reason}: {end.Error}");
        }
    }

    public void OnToken(in EmittedToken token)
    {
        Times.Add(Stopwatch.GetTimestamp());
        engine.Acknowledge(_id, First, prompt.Length + token.Index + 1);
    }

    public void OnFinished(in SessionEnd end) => _end.TrySetResult(end);
}
