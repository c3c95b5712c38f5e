using Parallax.Contracts.Identifiers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Transport.Flow;

/// <summary>KV that comes from elsewhere while a stage is fenced counts as applied, and is said with Resume alone.</summary>
public sealed class RestoredTests
{
    private static readonly SessionId Session = SessionId.New();
    private static readonly Epoch First = new(1, Guid.Empty, 0);
    private static readonly Epoch Second = new(1, Guid.Empty, 1);

    [Fact]
    public void Restored_WhileFenced_IsStatedOnResume()
    {
        var flow = Flow(isHead: false, applied: 0);
        flow.Receiver.Connected(1);

        flow.Restored(48);
        var state = flow.Resume(First, keep: 60, applied: 48, known: 61, nextIncarnation: 2);

        Assert.Equal((FlowMessageKind.State, 48), (state.Kind, state.Applied));
        Assert.Equal(48, flow.Receiver.Applied);
    }

    [Fact]
    public void Restored_BeyondTheRoutersN_IsCutByResume()
    {
        var flow = Flow(isHead: false, applied: 16);
        flow.Receiver.Connected(1);
        flow.Restored(64);

        Assert.Equal(40, flow.Resume(First, keep: 40, applied: 40, known: 41, nextIncarnation: 2).Applied);
    }

    [Fact]
    public void Restored_ThenFencedAgain_StaysApplied()
    {
        var flow = Flow(isHead: false, applied: 0);
        flow.Receiver.Connected(1);
        flow.Restored(32);
        flow.Fence(Second);

        Assert.Equal(32, flow.Resume(Second, keep: 60, applied: 32, known: 61, nextIncarnation: 2).Applied);
    }

    [Fact]
    public void Restored_WhileRunning_IsRefused()
    {
        var flow = Flow(isHead: false, applied: 0);
        flow.Resume(First, keep: 60, applied: 0, known: 61, nextIncarnation: 2);

        Assert.Throws<InvalidOperationException>(() => flow.Restored(16));
    }

    [Fact]
    public void Restored_AtTheHead_LeavesItsIdsAlone()
    {
        var flow = Flow(isHead: true, applied: 61);
        flow.Restored(48);
        Assert.Equal(61, flow.Receiver.Applied);
    }

    private static StageFlow Flow(bool isHead, int applied) => new(Session, incarnation: 1, First, isHead, isTail: false, applied, window: 64);
}
