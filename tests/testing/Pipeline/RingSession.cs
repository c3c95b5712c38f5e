using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Execution;

namespace Parallax.Testing.Pipeline;

/// <summary>A session on a <see cref="MemoryRing"/> and what came of it.</summary>
internal sealed class RingSession(SessionId id, Epoch epoch, int[] prompt)
{
    public SessionId Id => id;

    public Epoch Epoch => epoch;

    public int[] Prompt => prompt;

    /// <summary>Cached positions that all stages agreed on.</summary>
    public int Keep { get; set; }

    /// <summary>The head's sink.</summary>
    public RecordingSink Sink { get; } = new();

    /// <summary>How other stages' sessions ended that did.</summary>
    public List<(int Stage, SessionEnd End)> OtherEnds { get; } = [];

    public bool IsDone => Sink.Finished.IsCompleted || OtherEnds.Count > 0;

    public ISessionSink OtherSink(int stage) => new OtherStage(this, stage);

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
