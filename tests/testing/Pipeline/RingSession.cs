using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.Testing.Pipeline;

/// <summary>A session on a <see cref="MemoryRing"/> and what came of it.</summary>
internal sealed class RingSession(SessionId id, Epoch epoch, int[] prompt)
{
    private readonly Dictionary<int, ISessionSink> _otherSinks = [];

    public SessionId Id => id;

    /// <summary>The present epoch.</summary>
    public Epoch Epoch { get; set; } = epoch;

    /// <summary>What it was opened with, of the stage at hand.</summary>
    public required Func<int, OpenRequest> RequestAt { get; init; }

    public int[] Prompt => prompt;

    /// <summary>Cached positions that all stages agreed on.</summary>
    public int Keep { get; set; }

    /// <summary>The head's sink.</summary>
    public RecordingSink Sink { get; } = new();

    /// <summary>How other stages' sessions ended that did.</summary>
    public List<(int Stage, SessionEnd End)> OtherEnds { get; } = [];

    public bool IsDone => Sink.Finished.IsCompleted || OtherEnds.Count > 0;

    /// <summary>The sink of a stage; the head's is <see cref="Sink"/>.</summary>
    public ISessionSink SinkOf(int stage)
    {
        if (stage == 0)
        {
            return Sink;
        }

        if (!_otherSinks.TryGetValue(stage, out var sink))
        {
            sink = new OtherStage(this, stage);
            _otherSinks.Add(stage, sink);
        }

        return sink;
    }

    private sealed class OtherStage(RingSession session, int stage) : ISessionSink
    {
        public void OnToken(in EmittedToken token) =>
            throw new InvalidOperationException($"stage {stage} emitted token {token.Index}");

        public void OnFinished(in SessionEnd end)
        {
            if (!session.Sink.Finished.IsCompleted)
            {
                session.OtherEnds.Add((stage, end));
            }
        }
    }
}
