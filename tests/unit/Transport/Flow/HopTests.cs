using Parallax.Contracts.Identifiers;
using Parallax.Transport.Flow;
using Parallax.Transport.Framing;

namespace Parallax.UnitTests.Transport.Flow;

public sealed class HopTests
{
    private static readonly SessionId Session = new(Guid.Parse("11111111-2222-3333-4444-555555555555"));
    private static readonly Guid Router = Guid.Parse("aaaaaaaa-0000-0000-0000-000000000001");
    private static readonly Epoch First = new(1, Router, 0);
    private static readonly Epoch Second = new(1, Router, 1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OnRun_FencedAtItsEpoch_DropsUnlessTheRuleIsOff(bool ruleOn)
    {
        var receiver = Receiver(Without(HopRules.DropWhileFenced, !ruleOn), resume: false);

        var decision = receiver.OnRun(1, Run(First, 0, 1));

        Assert.Equal(ruleOn ? RunAction.Drop : RunAction.Compute, decision.Action);
        Assert.Equal(FlowMessageKind.None, decision.Reply.Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OnRun_ManyRowsAboveAGap_StatesOnce(bool ruleOn)
    {
        var receiver = Receiver(Without(HopRules.StateOnce, !ruleOn));
        Assert.Equal(RunAction.Compute, receiver.OnRun(1, Run(First, 0, 1)).Action); // so that Resume's State is answered

        var states = Enumerable.Range(2, 50).Count(p => receiver.OnRun(1, Run(First, p, 1)).Reply.Kind == FlowMessageKind.State);

        Assert.Equal(ruleOn ? 1 : 50, states);
    }

    [Fact]
    public void OnRun_SecondGapAfterTheFirstWasFilled_StatesAgain()
    {
        var receiver = Receiver(HopRules.All);
        receiver.OnRun(1, Run(First, 0, 1));
        Assert.Equal(FlowMessageKind.State, receiver.OnRun(1, Run(First, 2, 1)).Reply.Kind);
        Assert.Equal(RunAction.Compute, receiver.OnRun(1, Run(First, 1, 1)).Action);

        var again = receiver.OnRun(1, Run(First, 4, 1)).Reply;

        Assert.Equal((FlowMessageKind.State, 2), (again.Kind, again.Applied));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OnRun_EarlierConnection_IsDiscarded(bool ruleOn)
    {
        var receiver = Receiver(Without(HopRules.GenerationCheck, !ruleOn));
        receiver.Disconnected();
        receiver.Connected(2);

        Assert.Equal(ruleOn ? RunAction.Drop : RunAction.Compute, receiver.OnRun(1, Run(First, 0, 1)).Action);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OnMessage_StateOfAnEarlierConnection_MovesNothing(bool ruleOn)
    {
        var sender = Sender(Without(HopRules.GenerationCheck, !ruleOn), applied: 4);
        sender.Disconnected();
        sender.Connected(2);
        sender.OnMessage(2, State(First, 4), []);

        sender.OnMessage(1, State(First, 0), []);

        Assert.Equal(ruleOn ? 4 : 0, sender.Cursor);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OnRun_EpochBelow_AnswersStaleNamingItOnceAndComputesNothing(bool ruleOn)
    {
        var receiver = Receiver(Without(HopRules.EpochCheck, !ruleOn));
        receiver.Fence(Second);
        receiver.Resume(Second, 0);

        var decision = receiver.OnRun(1, Run(First, 0, 1));

        Assert.Equal(ruleOn ? RunAction.Drop : RunAction.Compute, decision.Action);
        if (ruleOn)
        {
            Assert.Equal((FlowMessageKind.Stale, First), (decision.Reply.Kind, decision.Reply.Epoch));
            Assert.Equal(FlowMessageKind.None, receiver.OnRun(1, Run(First, 1, 1)).Reply.Kind);
        }
    }

    [Fact]
    public void OnRun_EpochAbove_IsDroppedInSilence()
    {
        var receiver = Receiver(HopRules.All);

        Assert.Equal(default, receiver.OnRun(1, Run(Second, 0, 1)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OnRun_OtherIncarnationAddressed_AnswersUnknownOnce(bool ruleOn)
    {
        var receiver = Receiver(Without(HopRules.UnknownOnce, !ruleOn));

        var answers = Enumerable.Range(0, 20)
            .Count(p => receiver.OnRun(1, Run(First, p, 1) with { Incarnation = 6 }).Reply.Kind == FlowMessageKind.Unknown);

        Assert.Equal(ruleOn ? 1 : 20, answers);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OnMessage_UnknownPerRowInFlight_StopsTheSenderAndIsReportedOnce(bool ruleOn)
    {
        var sender = Sender(Without(HopRules.UnknownOnce, !ruleOn), applied: 0);
        var unknown = new FlowMessage(FlowMessageKind.Unknown, Session, First, 9, 0);

        // Each answer to a row in flight: without the rule all rows are sent again for each (finding F9).
        var (reports, resent) = (0, 0);
        for (var i = 0; i < 10; i++)
        {
            reports += sender.OnMessage(1, unknown, []) == SenderEvent.StageLost ? 1 : 0;
            while (sender.TryNext(8, out var run))
            {
                resent += run.Count;
                sender.Sent(run);
            }
        }

        Assert.Equal(ruleOn ? (1, 0) : (10, 80), (reports, resent));
    }

    [Fact]
    public void UnknownSessions_ManyRows_OneAnswerPerConnectionAndBoundedMemory()
    {
        var unknown = new UnknownSessions(7, capacity: 2);
        var answers = Enumerable.Range(0, 30).Count(p => unknown.OnRun(1, Run(First, p, 1)).Kind == FlowMessageKind.Unknown);
        Assert.Equal(1, answers);
        Assert.Equal(FlowMessageKind.Unknown, unknown.OnRun(2, Run(First, 0, 1)).Kind);
        Assert.Equal(FlowMessageKind.None, unknown.OnRun(1, Run(First, 0, 1)).Kind);
        for (var i = 0; i < 3; i++)
        {
            unknown.OnRun(2, Run(First, 0, 1) with { Session = SessionId.New() });
        }

        Assert.Equal(FlowMessageKind.Unknown, unknown.OnRun(2, Run(First, 0, 1)).Kind); // forgotten, so answered again
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OnMessage_AckBehindTheCursor_SendsNothingAgain(bool ruleOn)
    {
        var sender = Sender(Without(HopRules.AckForwardOnly, !ruleOn), applied: 0);
        Assert.True(sender.TryNext(8, out var run));
        sender.Sent(run);

        sender.OnMessage(1, new FlowMessage(FlowMessageKind.Ack, Session, First, 9, 3), []);

        Assert.Equal(!ruleOn, sender.TryNext(8, out var again) && again.First == 3);
    }

    [Fact]
    public void OnMessage_StaleOfAnEarlierEpoch_IsIgnoredAndOfThePresentPauses()
    {
        var sender = Sender(HopRules.All, applied: 0);
        sender.Fence(Second);
        sender.Resume(Second, 8, 8, 9);
        sender.OnMessage(1, State(Second, 2), []);

        Assert.Equal(SenderEvent.None, sender.OnMessage(1, new FlowMessage(FlowMessageKind.Stale, Session, First, 9, 0), []));
        Assert.Equal(HopPhase.Running, sender.Phase);
        Assert.Equal(SenderEvent.Paused, sender.OnMessage(1, new FlowMessage(FlowMessageKind.Stale, Session, Second, 9, 0), []));
        Assert.False(sender.TryNext(8, out _));
        Assert.Equal(8, sender.Out[0].Count); // paused, not emptied (F8)
    }

    [Fact]
    public void OnMessage_OtherIncarnationsState_IsIgnored()
    {
        var sender = Sender(HopRules.All, applied: 4);

        sender.OnMessage(1, State(First, 0) with { Incarnation = 8 }, []);

        Assert.Equal(4, sender.Cursor);
    }

    [Fact]
    public void TryNext_Window_BoundsWhatIsAheadOfTheAcknowledgement()
    {
        var sender = Sender(HopRules.All, applied: 0, window: 3);
        Assert.True(sender.TryNext(8, out var run));
        Assert.Equal((0, 3), (run.First, run.Count));
        sender.Sent(run);
        Assert.False(sender.TryNext(8, out _));

        sender.OnMessage(1, new FlowMessage(FlowMessageKind.Ack, Session, First, 9, 2), []);

        Assert.True(sender.TryNext(8, out run));
        Assert.Equal((3, 2), (run.First, run.Count));
    }

    [Fact]
    public void OnRun_RunAcrossApplied_ComputesTheNewRowsOnly()
    {
        var receiver = Receiver(HopRules.All);
        receiver.OnRun(1, Run(First, 0, 4));

        Assert.Equal(new RunDecision(RunAction.Compute, 4, 3, default), receiver.OnRun(1, Run(First, 2, 5)));
        Assert.Equal((0, 7), (receiver.Applied, receiver.Accepted));
        Assert.Equal(4, receiver.Computed(4).Applied);
        Assert.Throws<ArgumentOutOfRangeException>(() => receiver.Computed(4));
    }

    [Fact]
    public void OnRun_KindOfAnotherHop_IsRefused() =>
        Assert.Equal(RunAction.Refuse, Receiver(HopRules.All).OnRun(1, Run(First, 0, 1) with { Kind = RowKind.Token }).Action);

    private static HopRules Without(HopRules rule, bool off) => off ? HopRules.All & ~rule : HopRules.All;

    private static HopReceiver Receiver(HopRules rules, bool resume = true)
    {
        var receiver = new HopReceiver(Session, 9, First, tokens: false, applied: 0, rules);
        receiver.Connected(1);
        if (resume)
        {
            Assert.Equal(FlowMessageKind.State, receiver.Resume(First, 8).Kind);
        }

        return receiver;
    }

    // Running, with outputs 0..7 in its journal and the next hop at `applied`.
    private static HopSender Sender(HopRules rules, int applied, int window = 64)
    {
        var sender = new HopSender(First, window, tokens: false, rules);
        Start(sender, applied);
        sender.Produced(0, 8);
        return sender;
    }

    private static void Start(HopSender sender, int applied)
    {
        sender.Connected(1);
        Assert.True(sender.Resume(First, 8, 7, 9));
        sender.OnMessage(1, State(First, applied), []);
    }

    private static FlowMessage State(Epoch epoch, int applied) => new(FlowMessageKind.State, Session, epoch, 9, applied);

    private static RowRun Run(Epoch epoch, int first, int count) =>
        new(Session, epoch, 9, RowKind.Forward, first, count, TensorType.F32, 4);
}
