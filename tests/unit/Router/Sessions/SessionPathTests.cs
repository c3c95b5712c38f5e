using Parallax.Contracts.Identifiers;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Router.Sessions;

/// <summary>A session over three stages: 0 is the head, 2 the tail.</summary>
public class SessionPathTests
{
    private const int Prompt = 40;
    private const int Stages = 3;
    private static readonly Epoch First = new(1, Guid.Parse("00000000-0000-0000-0000-000000000001"), 0);
    private static readonly Epoch Second = First with { N = 1 };

    public static TheoryData<int, int, int> Orders => new() { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

    [Theory]
    [MemberData(nameof(Orders))]
    public void Start_InAnyOrderOfAcceptance_GoesToAllOnceAllHaveAccepted(int a, int b, int c)
    {
        var core = Connected();
        AssertSaid(core, SessionCommand.Open, SessionCommand.Open, SessionCommand.Open);

        core.OnAccepted(a, First, 32);
        AssertSilent(core);
        core.OnAccepted(b, First, 16);
        AssertSilent(core);
        Assert.False(core.IsAccepted);
        core.OnAccepted(c, First, 48);

        AssertSaid(core, SessionCommand.Start, SessionCommand.Start, SessionCommand.Start);
        Assert.Equal(16, core.Keep);
        Assert.Equal(16, core.CachedPrefix);
        Assert.Equal([71, 72, 70], Enumerable.Range(0, Stages).Select(core.NextIncarnation));
    }

    [Fact]
    public void Start_StageThatRestartedBeforeItAccepted_NamesTheNewIncarnation()
    {
        var core = Connected();
        Said(core);
        core.OnAccepted(0, First, 0);
        core.OnAccepted(2, First, 0);

        core.OnDisconnected(1);
        Assert.True(core.OnConnected(1, 171));
        AssertSaid(core, [], [SessionCommand.Open], []);
        core.OnAccepted(1, First, 0);

        AssertSaid(core, SessionCommand.Start, SessionCommand.Start, SessionCommand.Start);
        Assert.Equal([171, 72, 70], Enumerable.Range(0, Stages).Select(core.NextIncarnation));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void OnConnected_Again_SaysWhatTheStageMustHearInEachPhase(int stage)
    {
        var core = NewCore();
        for (var other = 0; other < Stages; other++)
        {
            if (other != stage)
            {
                core.OnConnected(other, 70 + other);
            }
        }

        Said(core);

        // Opening: Open, as often as it takes.
        for (var i = 0; i < 2; i++)
        {
            Reconnect(core, stage);
            Assert.Equal([SessionCommand.Open], Said(core)[stage]);
        }

        // Accepted, while others have not.
        core.OnAccepted(stage, First, 0);
        Reconnect(core, stage);
        Assert.Equal([SessionCommand.Rejoin], Said(core)[stage]);

        // Started.
        for (var other = 0; other < Stages; other++)
        {
            core.OnAccepted(other, First, 0);
        }

        AssertSaid(core, SessionCommand.Start, SessionCommand.Start, SessionCommand.Start);
        Reconnect(core, stage);
        Assert.Equal([SessionCommand.Rejoin, SessionCommand.Start], Said(core)[stage]);
        AssertSilent(core);

        // Giving out tokens: the head has to hear how far the client is.
        core.OnTokens(0, First, 0, 10);
        core.OnConsumed(10);
        Assert.Equal([SessionCommand.Acknowledge], Said(core)[0]);
        Reconnect(core, stage);
        SessionCommand[] expected = stage == 0
            ? [SessionCommand.Rejoin, SessionCommand.Start, SessionCommand.Acknowledge]
            : [SessionCommand.Rejoin, SessionCommand.Start];
        Assert.Equal(expected, Said(core)[stage]);
        Assert.Equal(stage == 0 ? Prompt + 10 : Prompt, core.KnownAt(stage));

        // Cancelled: said again, and then there is nothing more to hear on that connection.
        core.Cancel();
        AssertSaid(core, SessionCommand.Cancel, SessionCommand.Cancel, SessionCommand.Cancel);
        Assert.False(core.IsSettled(stage));
        Reconnect(core, stage);
        Assert.False(core.IsSettled(stage));
        Assert.Equal([SessionCommand.Cancel], Said(core)[stage]);
        Assert.True(core.IsSettled(stage));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void OnConnected_Restarted_OpensAnewEverywhere(int stage)
    {
        var core = Running();

        core.OnDisconnected(stage);
        Assert.False(core.OnConnected(stage, 170));
        AssertSilent(core);
        core.Reroute([0, 1, 2]);

        Assert.Equal(Second, core.Epoch);
        AssertSaid(core, SessionCommand.Open, SessionCommand.Open, SessionCommand.Open);
        core.OnAccepted(0, First, 16); // an answer of before
        AssertSilent(core);
        for (var each = 0; each < Stages; each++)
        {
            core.OnAccepted(each, Second, 0);
        }

        AssertSaid(core, SessionCommand.Start, SessionCommand.Start, SessionCommand.Start);
        Assert.Equal(170, core.NextIncarnation((stage + Stages - 1) % Stages));
        Assert.Equal(0, core.OnTokens(0, Second, 0, 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Reroute_AroundALostStage_FencesTheOthersOpensTheNewOneAndCancelsTheLost(int stage)
    {
        var core = Running();
        core.OnTokens(0, First, 0, 4);
        core.OnDisconnected(stage);
        core.OnUnreachable(stage);
        Assert.True(core.NeedsPath);

        var spare = core.AddSeat();
        int[] path = [.. Enumerable.Range(0, Stages).Select(each => each == stage ? spare : each)];
        core.Reroute(path);
        core.OnConnected(spare, 79);

        Assert.All(path, seat => Assert.Equal([SessionCommand.Open], TakeAll(core, seat)));
        Assert.Equal(4, core.OnTokens(0, First, 4, 4)); // the old head's
        foreach (var seat in path)
        {
            core.OnAccepted(seat, Second, seat == spare ? 0 : Prompt + 3);
        }

        Assert.All(path, seat => Assert.Equal([SessionCommand.Start], TakeAll(core, seat)));
        Assert.Equal(Prompt + 3, core.Keep);
        Assert.Equal(79, core.NextIncarnation(path[(stage + Stages - 1) % Stages]));
        Assert.Equal(0, core.OnTokens(path[0], Second, 4, 1));

        // The lost one comes back, as it was: it is told to let go.
        Assert.True(core.OnConnected(stage, 70 + stage));
        Assert.Equal([SessionCommand.Cancel], TakeAll(core, stage));
        Assert.Equal(First, core.CancelEpoch(stage));
        Assert.False(core.HoldsLease(stage));
        Assert.True(core.IsSettled(stage));
        Assert.False(core.NeedsPath);
    }

    [Fact]
    public void Reroute_BackToASeatThatWasLeft_OpensItAnew()
    {
        var core = Running();
        var spare = core.AddSeat();
        core.OnConnected(spare, 79);
        core.Lose(1);
        core.Reroute([0, spare, 2]);
        Assert.Equal([SessionCommand.Cancel], TakeAll(core, 1));
        core.Lose(spare);

        core.Reroute([0, 1, 2]);

        Assert.Equal([SessionCommand.Open], TakeAll(core, 1));
        Assert.False(core.NeedsPath);
        Assert.True(core.IsSettled(spare) || TakeAll(core, spare) is [SessionCommand.Cancel] or []);
    }

    [Fact]
    public void OnUnreachable_AStageThatComesBackAsItWas_NeedsNoPath()
    {
        var core = Running();
        core.OnDisconnected(1);
        core.OnUnreachable(1);
        Assert.True(core.NeedsPath);

        Assert.True(core.OnConnected(1, 71));

        Assert.False(core.NeedsPath);
        AssertSaid(core, [], [SessionCommand.Rejoin, SessionCommand.Start], []);
    }

    [Fact]
    public void OnRefused_AfterAReroute_NeedsAnotherPath()
    {
        var core = Running();
        core.Lose(1);
        core.Reroute([0, 1, 2]);
        Said(core);

        Assert.Equal(SessionTurn.NeedsPath, core.OnRefused(1, Second));
        Assert.True(core.NeedsPath);
        Assert.False(core.IsEnded);
    }

    [Fact]
    public void OnUnknown_OfAStageThatIsAway_OpensThereOnceItIsBack()
    {
        var core = Running();
        core.OnDisconnected(2);

        Assert.Equal(SessionTurn.NeedsPath, core.OnUnknown(1, First, 71));
        core.Reroute([0, 1, 2]);

        AssertSaid(core, [SessionCommand.Open], [SessionCommand.Open], []);
        Assert.True(core.OnConnected(2, 72));
        AssertSaid(core, [], [], [SessionCommand.Open]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void OnRefused_ByAStage_EndsAndCancelsTheOthers(int stage)
    {
        var core = Connected();
        Said(core);
        core.OnAccepted((stage + 1) % Stages, First, 0);

        Assert.Equal(SessionTurn.None, core.OnRefused(stage, First with { Term = 0 }));
        Assert.Equal(SessionTurn.Ended, core.OnRefused(stage, First));

        Assert.True(core.IsEnded);
        AssertCancelledBut(core, stage);
        Assert.Equal(SessionTurn.None, core.OnFinished((stage + 1) % Stages, First, FinishReason.Cancelled, 0));
        Assert.True(core.IsSettled((stage + 1) % Stages));
        Assert.Equal(SessionTurn.None, core.OnRefused((stage + 2) % Stages, First)); // as the first, crossing the Cancel
        Assert.True(core.IsSettled((stage + 2) % Stages));
    }

    [Fact]
    public void OnRefused_BeforeOthersWereAsked_LeavesThemAlone()
    {
        var core = NewCore();
        core.OnConnected(1, 71);
        Said(core);

        Assert.Equal(SessionTurn.Ended, core.OnRefused(1, First));

        Assert.True(Enumerable.Range(0, Stages).All(core.IsSettled));
        core.OnConnected(0, 70);
        AssertSilent(core);
    }

    [Fact]
    public void OnFinished_OfTheHead_EndsAndFreesTheOthers()
    {
        var core = Running();
        core.OnTokens(0, First, 0, 3);

        Assert.Equal(SessionTurn.Ended, core.OnFinished(0, First, FinishReason.Stop, 3));

        Assert.True(core.IsSettled(0));
        AssertCancelledBut(core, 0);
        core.OnFinished(1, First, FinishReason.Cancelled, 0);
        core.OnUnknown(2, First, 72);
        Assert.True(core.IsSettled(1));
        Assert.True(core.IsSettled(2));
        AssertSilent(core);
    }

    [Fact]
    public void OnFinished_OfTheHeadWithAStageAway_FreesItOnceItIsBack()
    {
        var core = Running();
        core.OnDisconnected(1);
        Assert.Equal(SessionTurn.Ended, core.OnFinished(0, First, FinishReason.Length, 0));
        AssertSaid(core, [], [], [SessionCommand.Cancel]);
        Assert.False(core.IsSettled(1));

        core.OnConnected(1, 71);
        AssertSaid(core, [], [SessionCommand.Cancel], []);
        Assert.True(core.IsSettled(1));
    }

    [Fact]
    public void OnFinished_OfTheHeadAndAStageRestarts_LeavesNothingToSay()
    {
        var core = Running();
        core.OnDisconnected(1);
        core.OnFinished(0, First, FinishReason.Length, 0);

        Assert.True(core.OnConnected(1, 171));

        Assert.True(core.IsSettled(1));
        AssertSaid(core, [], [], [SessionCommand.Cancel]);
    }

    [Theory]
    [InlineData(FinishReason.Error)]
    [InlineData(FinishReason.Cancelled)]
    public void OnFinished_OfAStageThatFailedOrStops_NeedsAPath(FinishReason reason)
    {
        var core = Running();
        core.OnTokens(0, First, 0, 3);

        Assert.Equal(SessionTurn.None, core.OnFinished(1, First with { Term = 0 }, reason, 0));
        Assert.Equal(SessionTurn.NeedsPath, core.OnFinished(1, First, reason, 0));

        Assert.False(core.IsEnded);
        Assert.True(core.NeedsPath);
    }

    [Fact]
    public void OnFinished_OfAnotherStageAtItsDeadline_EndsTheSession()
    {
        var core = Running();

        Assert.Equal(SessionTurn.Ended, core.OnFinished(1, First, FinishReason.Deadline, 0));

        AssertCancelledBut(core, 1);
    }

    [Fact]
    public void OnFinished_WellByTheTail_WaitsForTheHead()
    {
        var core = Running();

        Assert.Equal(SessionTurn.None, core.OnFinished(2, First, FinishReason.Stop, 0));
        Assert.False(core.HoldsLease(2));
        Assert.Equal(0, core.OnTokens(0, First, 0, 3));
        Assert.Equal(SessionTurn.Ended, core.OnFinished(0, First, FinishReason.Stop, 3));

        AssertSaid(core, [], [SessionCommand.Cancel], []);
    }

    [Fact]
    public void OnFinished_OfTheHeadWithTokensMissing_NeedsNobodyElse()
    {
        var core = Running();
        Assert.Equal(SessionTurn.None, core.OnFinished(0, First, FinishReason.Stop, 3));

        // The answer is complete, at the head: what becomes of the others no longer matters.
        Assert.Equal(SessionTurn.None, core.OnFinished(1, First, FinishReason.Error, 0));
        Assert.True(core.OnConnected(2, 172));

        AssertSaid(core, [SessionCommand.Rejoin], [], []);
        Assert.Equal(0, core.OnTokens(0, First, 0, 3));
        Assert.Equal(SessionTurn.Ended, core.OnFinished(0, First, FinishReason.Stop, 3));
        Assert.True(Enumerable.Range(0, Stages).All(core.IsSettled));
    }

    [Fact]
    public void OnTokens_OfAnotherStage_AreIgnored()
    {
        var core = Running();

        Assert.Equal(3, core.OnTokens(1, First, 0, 3));
        Assert.Equal(0, core.Received);
    }

    [Fact]
    public void HoldsLease_AtEveryStageThatAccepted_UntilTheEnd()
    {
        var core = Connected();
        Said(core);
        core.OnAccepted(1, First, 0);
        Assert.Equal([false, true, false], Enumerable.Range(0, Stages).Select(core.HoldsLease));

        core.OnAccepted(0, First, 0);
        core.OnAccepted(2, First, 0);
        Assert.Equal([true, true, true], Enumerable.Range(0, Stages).Select(core.HoldsLease));

        core.OnFinished(0, First, FinishReason.Stop, 0);
        Assert.Equal([false, false, false], Enumerable.Range(0, Stages).Select(core.HoldsLease));
    }

    [Fact]
    public void Cancel_Opening_TellsThoseThatWereAsked()
    {
        var core = NewCore();
        core.OnConnected(0, 70);
        core.OnConnected(2, 72);
        Said(core);

        Assert.True(core.Cancel());

        Assert.Equal([false, true, false], Enumerable.Range(0, Stages).Select(core.IsSettled));
        AssertSaid(core, [SessionCommand.Cancel], [], [SessionCommand.Cancel]);
        core.OnAccepted(0, First, 0); // crossed the Cancel
        AssertSilent(core);
        Assert.Equal(SessionTurn.None, core.OnFinished(0, First, FinishReason.Cancelled, 0));
        Assert.Equal(SessionTurn.Ended, core.OnFinished(2, First, FinishReason.Cancelled, 0));
        Assert.True(Enumerable.Range(0, Stages).All(core.IsSettled));
    }

    [Fact]
    public void Cancel_AfterARaise_NamesEveryEpochThatAStageMayHold()
    {
        var core = Running();
        core.OnDisconnected(2);
        core.OnUnknown(1, First, 71);
        core.Reroute([0, 1, 2]);
        AssertSaid(core, [SessionCommand.Open], [SessionCommand.Open], []);
        core.OnAccepted(0, Second, 0);

        core.Cancel();

        Assert.Equal([1], CancelledAt(core, 0)); // accepted there
        Assert.Equal([1], CancelledAt(core, 1)); // lacked the one before
        core.OnConnected(2, 72);
        Assert.Equal([0], CancelledAt(core, 2)); // never asked again
    }

    [Fact]
    public void Cancel_OpenOfARaiseLostOnTheWay_FreesTheEarlierEpochToo()
    {
        var core = Running();
        core.OnUnknown(1, First, 71);
        core.Reroute([0, 1, 2]);
        Said(core);
        Reconnect(core, 0); // what was said before may have arrived or not

        core.Cancel();

        Assert.Equal([1, 0], CancelledAt(core, 0));
    }

    [Fact]
    public void OnStale_OfALaterTerm_StopsAndCancelsNothingOfIt()
    {
        var core = Running();

        Assert.True(core.OnStale(First with { Term = 2 }));

        AssertSilent(core);
        Assert.True(Enumerable.Range(0, Stages).All(core.IsSettled));
    }

    [Fact]
    public void OnGivenUp_AStageThatStaysAway_NeedsToBeToldNoMore()
    {
        var core = Running();
        core.OnDisconnected(1);
        core.Cancel();
        Assert.False(core.IsSettled(1));

        core.OnGivenUp(1);

        Assert.True(core.IsSettled(1));
        AssertCancelledBut(core, 1);
    }

    private static SessionCore NewCore() => new(SessionId.New(), First, Prompt, Stages);

    private static SessionCore Connected()
    {
        var core = NewCore();
        for (var stage = 0; stage < Stages; stage++)
        {
            core.OnConnected(stage, 70 + stage);
        }

        return core;
    }

    private static SessionCore Running()
    {
        var core = Connected();
        Said(core);
        for (var stage = 0; stage < Stages; stage++)
        {
            core.OnAccepted(stage, First, 0);
        }

        Said(core);
        return core;
    }

    private static void Reconnect(SessionCore core, int stage)
    {
        core.OnDisconnected(stage);
        Assert.Equal(SessionCommand.None, core.TakeCommand(stage));
        Assert.True(core.OnConnected(stage, 70 + stage));
    }

    private static List<SessionCommand>[] Said(SessionCore core)
    {
        var said = new List<SessionCommand>[Stages];
        for (var stage = 0; stage < Stages; stage++)
        {
            said[stage] = [];
            while (core.TakeCommand(stage) is not SessionCommand.None and var command)
            {
                said[stage].Add(command);
            }
        }

        return said;
    }

    private static List<int> CancelledAt(SessionCore core, int stage)
    {
        var epochs = new List<int>();
        while (core.TakeCommand(stage) == SessionCommand.Cancel)
        {
            epochs.Add(core.CancelEpoch(stage).N);
        }

        return epochs;
    }

    private static void AssertSaid(SessionCore core, params SessionCommand[] each) => AssertSaid(core, [each[0]], [each[1]], [each[2]]);

    private static void AssertSaid(SessionCore core, List<SessionCommand> head, List<SessionCommand> middle, List<SessionCommand> tail) =>
        Assert.Equal([head, middle, tail], Said(core));

    private static void AssertSilent(SessionCore core) => AssertSaid(core, [], [], []);

    private static void AssertCancelledBut(SessionCore core, int stage)
    {
        Assert.True(core.IsSettled(stage));
        var said = Said(core);
        Assert.Empty(said[stage]);
        Assert.All(said.Where((_, i) => i != stage), static commands => Assert.Equal([SessionCommand.Cancel], commands));
    }

    private static List<SessionCommand> TakeAll(SessionCore core, int seat)
    {
        var commands = new List<SessionCommand>();
        while (core.TakeCommand(seat) is not SessionCommand.None and var command)
        {
            commands.Add(command);
        }

        return commands;
    }
}
