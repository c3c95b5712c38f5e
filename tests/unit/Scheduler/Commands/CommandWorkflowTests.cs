using System.Collections.Immutable;
using CsCheck;
using Parallax.Contracts.Messages;
using Parallax.Scheduler.Commands;
using Parallax.Scheduler.Planning;

namespace Parallax.UnitTests.Scheduler.Commands;

/// <summary>Given events, when something happens, then events.</summary>
public sealed class CommandWorkflowTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Deadline = Start.AddMinutes(10);
    private static readonly CommandSubmitted Asked = new("x", CommandKinds.Drain, new byte[] { 1, 2 }, "w", "ada", Start, Deadline);
    private static readonly CommandProgress Pending = new CommandProgress.Pending("it still held 1 shard");

    [Fact]
    public void Submit_New_IsSubmitted() => Assert.Equal([CommandStates.Submitted], After(CommandWorkflow.Submit(CommandState.None, Message(), "w", null)!.Value).History.Select(static step => step.State));

    [Fact]
    public void Submit_UnreadableRequest_IsRejectedAtOnce()
    {
        var state = After(CommandWorkflow.Submit(CommandState.None, Message(), "", "no worker")!.Value);
        Assert.Equal((CommandStates.Rejected, "no worker"), (state.State, state.Reason));
    }

    [Fact]
    public void Submit_Again_ChangesNothing_AndAnotherUnderTheId_IsNone()
    {
        var state = After([Asked]);
        Assert.Empty(CommandWorkflow.Submit(state, Message() with { IssuedAt = Deadline }, "w", null)!.Value);
        Assert.Null(CommandWorkflow.Submit(state, Message() with { Kind = CommandKinds.Remove }, "w", null));
        Assert.Null(CommandWorkflow.Submit(state, Message() with { Request = new byte[] { 3 } }, "w", null));
    }

    [Fact]
    public void Take_InTime_IsTakenOnce()
    {
        var taken = Take(After([Asked]));
        Assert.Equal([new CommandTaken("s", 2)], taken);
        Assert.Empty(Take(After([Asked, .. taken])));
    }

    [Fact]
    public void Take_TakenByOneThatIsLost_IsTakenAnew() => Assert.Equal([new CommandTaken("s", 2)], Take(After([Asked, new CommandTaken("gone", 1)])));

    [Fact]
    public void Take_InThePlanAlready_IsAppliedAlsoAfterTheDeadline() =>
        Assert.Equal([new CommandApplied("s", 2, 7, "w")], CommandWorkflow.Take(After([Asked, new CommandTaken("gone", 1)]), "s", 2, planned: 7, "w", Deadline));

    [Fact]
    public void Take_AfterTheDeadline_Expires()
    {
        var end = Assert.Single(CommandWorkflow.Take(After([Asked]), "s", 2, null, "w", Deadline));
        Assert.IsType<CommandExpired>(end);
    }

    [Fact]
    public void CarriedOut_Refused_IsRejectedUnlessItPasses()
    {
        var state = After([Asked, new CommandTaken("s", 2)]);
        Assert.Equal([new CommandRejected("no such worker")], CarriedOut(state, new Refusal(RefusalKind.NotFound, "no such worker")));
        Assert.Empty(CarriedOut(state, new Refusal(RefusalKind.NotYet, "a moment")));
        Assert.Empty(CarriedOut(state, new Refusal(RefusalKind.TooMany, "a moment")));
        Assert.Equal([new CommandApplied("s", 2, 5, "w")], CarriedOut(state, null));
    }

    [Fact]
    public void Observe_Applied_EndsAsWhatIsSeen()
    {
        var state = After([Asked, new CommandTaken("s", 2), new CommandApplied("s", 2, 5, "w")]);
        Assert.Empty(CommandWorkflow.Observe(state, Pending, Deadline.AddTicks(-1)));
        Assert.Equal([new CommandCompleted("done")], CommandWorkflow.Observe(state, new CommandProgress.Done("done"), Deadline.AddDays(1)));
        Assert.Equal([new CommandSuperseded("gone")], CommandWorkflow.Observe(state, new CommandProgress.Superseded("gone"), Start));
        var late = Assert.IsType<CommandTimedOut>(Assert.Single(CommandWorkflow.Observe(state, Pending, Deadline)));
        Assert.Contains("it still held 1 shard", late.Reason, StringComparison.Ordinal);
    }

    /// <summary>Whatever is thrown at a command in whatever order, it ends at most once, and nothing follows its end.</summary>
    [Fact]
    public void AnyInputs_NothingFollowsTheEnd() =>
        Gen.Int[0, 9].Array[0, 40].Sample(static inputs =>
        {
            var state = CommandState.None;
            var now = Start;
            var ends = 0;
            foreach (var input in inputs)
            {
                var before = state;
                ImmutableArray<WorkflowEvent> events = input switch
                {
                    0 => CommandWorkflow.Submit(state, Message(), "w", null) ?? [],
                    1 => CommandWorkflow.Submit(state, Message(), "w", "unreadable") ?? [],
                    2 => CommandWorkflow.Take(state, "s", 2, null, "w", now),
                    3 => CommandWorkflow.Take(state, "t", 3, null, "w", now),
                    4 => CommandWorkflow.Take(state, "t", 3, 9, "w", now),
                    5 => CommandWorkflow.CarriedOut(state, "s", 2, null, 5, "w"),
                    6 => CommandWorkflow.CarriedOut(state, "s", 2, new Refusal(RefusalKind.Invalid, "no"), 5, "w"),
                    7 => CommandWorkflow.Observe(state, Pending, now),
                    8 => CommandWorkflow.Observe(state, new CommandProgress.Done("done"), now),
                    _ => [],
                };
                now += input == 9 ? TimeSpan.FromMinutes(6) : TimeSpan.Zero;
                Assert.True(!before.IsFinal || events.IsEmpty);
                state = events.Aggregate(state, (current, happened) => CommandWorkflow.Evolve(current, happened, now));
                ends += !before.IsFinal && state.IsFinal ? 1 : 0;
                Assert.True(state.State != CommandStates.Expired || state.PlanVersion == 0);
            }

            Assert.True(ends <= 1);
        });

    [Fact]
    public void Codec_EveryEvent_IsReadAsItWasWritten()
    {
        WorkflowEvent[] all =
        [
            new CommandTaken("s", 2), new CommandApplied("s", 2, 5, "w"), new CommandCompleted("a"), new CommandRejected("b"), new CommandTimedOut("c"),
            new CommandExpired("d"), new CommandSuperseded("e"),
        ];
        Assert.All(all, static one => Assert.Equal(one, Through(one)));
        var asked = Assert.IsType<CommandSubmitted>(Through(Asked));
        Assert.Equal(Asked with { Request = default }, asked with { Request = default });
        Assert.True(Asked.Request.Span.SequenceEqual(asked.Request.Span));
        Assert.Null(WorkflowCodec.Decode("FromTheFuture", "{}"u8.ToArray()));
        Assert.Null(WorkflowCodec.Decode("CommandTaken", "{"u8.ToArray()));
        Assert.Equal(1, CommandWorkflow.Evolve(CommandState.None, null, Start).Version);
    }

    private static WorkflowEvent? Through(WorkflowEvent one)
    {
        var (type, payload) = WorkflowCodec.Encode(one);
        return WorkflowCodec.Decode(type, payload);
    }

    private static SubmitCommand Message() => new(Asked.Id, Asked.Kind, Asked.Request, Asked.Issuer, Start, Deadline);

    private static ImmutableArray<WorkflowEvent> Take(CommandState state) => CommandWorkflow.Take(state, "s", 2, null, "w", Start);

    private static ImmutableArray<WorkflowEvent> CarriedOut(CommandState state, Refusal? refusal) => CommandWorkflow.CarriedOut(state, "s", 2, refusal, 5, "w");

    private static CommandState After(ImmutableArray<WorkflowEvent> events) =>
        events.Aggregate(CommandState.None, static (state, happened) => CommandWorkflow.Evolve(state, happened, Start));
}
