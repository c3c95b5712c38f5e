using Parallax.Runtime.Batching;

namespace Parallax.UnitTests.Batching;

public class BatchSchedulerTests
{
    private static readonly BatchLimits Limits = new(MaxBatch: 4, TokenBudget: 128, MixedPrefillTokens: 32);

    [Fact]
    public void Plan_DecodesAndPrefill_DecodesComeFirstAndPrefillIsCapped()
    {
        var plan = Plan([Prefilling(0, 1000), Decoding(40), Decoding(17)], available: 100);

        Assert.Equal([new PlannedSlice(1, 1), new PlannedSlice(2, 1), new PlannedSlice(0, 32)], plan.Slices);
        Assert.Equal((2, 32), (plan.DecodeRows, plan.PrefillRows));
    }

    [Fact]
    public void Plan_NothingDecodes_PrefillTakesTheWholeBudget()
    {
        var plan = Plan([Prefilling(5, 1000)], available: 100);

        Assert.Equal([new PlannedSlice(0, 128)], plan.Slices);
    }

    [Fact]
    public void Plan_LongAndShortPromptOfOneClient_ShareTheBudgetEvenly()
    {
        var plan = Plan([Prefilling(0, 1000), Prefilling(0, 40)], available: 100);

        Assert.Equal([new PlannedSlice(0, 88), new PlannedSlice(1, 40)], plan.Slices);
    }

    [Fact]
    public void Plan_TwoClients_TheLessServedComesFirst()
    {
        var plan = Plan([Prefilling(0, 1000, client: 0), Prefilling(0, 1000, client: 1)], available: 100, service: [500, 420]);

        Assert.Equal([new PlannedSlice(0, 32), new PlannedSlice(1, 96)], plan.Slices);
    }

    [Fact]
    public void Plan_PausedSession_ComputesNothing()
    {
        var plan = Plan([Decoding(40) with { Paused = true }, Decoding(20)], available: 100);

        Assert.Equal([new PlannedSlice(1, 1)], plan.Slices);
    }

    [Fact]
    public void Plan_SameNextBlock_IsComputedOnce()
    {
        var plan = Plan(
            [Prefilling(0, 50) with { NextBlock = 7 }, Prefilling(0, 50) with { NextBlock = 7 }, Prefilling(0, 50) with { NextBlock = 8 }],
            available: 100);

        Assert.Equal([new PlannedSlice(0, 50), new PlannedSlice(2, 50)], plan.Slices);
    }

    [Fact]
    public void Plan_Waiting_AdmitsUpToMaxBatchOldestFirst()
    {
        var plan = Plan([Decoding(20), Waiting(30), Waiting(30), Waiting(30), Waiting(30)], available: 100);

        Assert.Equal([1, 2, 3], plan.Admitted);
        Assert.Equal([new PlannedSlice(0, 1), new PlannedSlice(1, 16), new PlannedSlice(2, 16)], plan.Slices);
    }

    [Fact]
    public void Plan_FloodOfOneClient_LeavesPlacesToOthers()
    {
        var plan = Plan(
            [Waiting(30), Waiting(30), Waiting(30), Waiting(30), Waiting(30, client: 1), Waiting(30, client: 2)],
            available: 100, service: [0, 0, 0]);

        Assert.Equal([0, 4, 5, 1], plan.Admitted);
    }

    [Fact]
    public void Plan_FirstInTurnDoesNotFit_OthersPassItOnlySoOften()
    {
        SessionView[] sessions = [Decoding(20), Waiting(400), Waiting(30)];
        var plan = Plan(sessions, available: 10);
        Assert.Equal([2], plan.Admitted);
        Assert.Equal((1, 1), (plan.Bypassed, plan.AdmittedPast));

        sessions[1] = sessions[1] with { Bypassed = BatchScheduler.BypassLimit };
        plan = Plan(sessions, available: 10);
        Assert.Empty(plan.Admitted);
        Assert.Single(plan.Slices);
    }

    [Fact]
    public void Plan_NobodyRuns_AdmitsEvenWhatDoesNotFitAtOnce()
    {
        var plan = Plan([Waiting(400)], available: 4);

        Assert.Equal([0], plan.Admitted);
        Assert.Equal([new PlannedSlice(0, 64)], plan.Slices);
    }

    [Fact]
    public void Plan_NoBlockForTheOldest_TheYoungestGivesBack()
    {
        var plan = Plan([Decoding(16), Decoding(20), Prefilling(16, 50)], available: 0);

        Assert.Equal(2, plan.Victim);
        Assert.Empty(plan.Slices);
    }

    [Fact]
    public void Plan_NoBlockForTheYoungest_ItGivesBackItself()
    {
        var plan = Plan([Decoding(20), Decoding(21), Decoding(16)], available: 0);

        Assert.Equal(2, plan.Victim);
    }

    [Fact]
    public void Plan_NoBlockButHeldPrefixes_ThoseGoFirst()
    {
        var opened = new SessionView { Phase = SessionPhase.Opened, Applied = 32, Remaining = 5, CoveredBlocks = 2 };
        var plan = Plan([opened, Decoding(16), Decoding(20)], available: 0);

        Assert.Equal(0, plan.Victim);
    }

    [Fact]
    public void Plan_NoBlockForTheOldestRunnable_AnOlderPausedOneGivesBack()
    {
        var plan = Plan([Decoding(20) with { Paused = true }, Decoding(16)], available: 0);

        Assert.Equal(0, plan.Victim);
    }

    [Fact]
    public void Plan_NoBlockForAPrefillThatIsNotTheOldest_ItWaits()
    {
        var plan = Plan([Decoding(20), Prefilling(16, 100), Decoding(21)], available: 0);

        Assert.Equal(StepPlan.None, plan.Victim);
        Assert.Equal([new PlannedSlice(0, 1), new PlannedSlice(2, 1)], plan.Slices);
    }

    [Fact]
    public void Plan_AloneWithoutBlocks_IsStuck()
    {
        var plan = Plan([Decoding(16)], available: 0);

        Assert.Equal(0, plan.Stuck);
    }

    [Fact]
    public void Plan_AllPlacesPaused_AWaitingSessionGetsOne()
    {
        var limits = Limits with { MaxBatch = 1 };
        var plan = Plan([Decoding(20) with { Paused = true }, Waiting(30)], available: 100, limits: limits);

        Assert.Equal(0, plan.Victim);
    }

    [Fact]
    public void Plan_AllRunningPausedAndNoRoom_TheyGiveBackForAWaitingSession()
    {
        var plan = Plan([Decoding(160) with { Paused = true }, Decoding(160) with { Paused = true }, Waiting(64)], available: 0);

        Assert.Equal(1, plan.Victim);
    }

    [Fact]
    public void Plan_PausedWaitingSession_IsNotAdmitted()
    {
        var plan = Plan([Waiting(30) with { Paused = true }], available: 100);

        Assert.Empty(plan.Admitted);
        Assert.Equal(StepPlan.None, plan.Victim);
    }

    [Fact]
    public void Plan_CappedDecodes_ThoseReadyForLongestGetTheRows()
    {
        SessionView[] sessions = [ReadyAt(30), ReadyAt(10), ReadyAt(5) with { Paused = true }, ReadyAt(20)];

        Assert.Equal([new PlannedSlice(1, 1), new PlannedSlice(3, 1)], Plan(sessions, available: 100, maxDecodeRows: 2).Slices);
        Assert.Equal([new PlannedSlice(1, 1)], Plan(sessions, available: 100, maxDecodeRows: 1).Slices);
        Assert.Equal(3, Plan(sessions, available: 100, maxDecodeRows: 3).DecodeRows);
    }

    [Fact]
    public void Plan_CappedDecodesReadyAtOnce_TheFirstInOrderGetTheRows()
    {
        var plan = Plan([ReadyAt(20), ReadyAt(10), ReadyAt(20), ReadyAt(20)], available: 100, maxDecodeRows: 3);

        Assert.Equal([new PlannedSlice(0, 1), new PlannedSlice(1, 1), new PlannedSlice(2, 1)], plan.Slices);
    }

    [Fact]
    public void Plan_CappedDecodes_BlocksAreTakenOldestFirst()
    {
        SessionView[] sessions = [ReadyAt(30, applied: 16), ReadyAt(10, applied: 16), ReadyAt(20)];
        var plan = Plan(sessions, available: 1, maxDecodeRows: 3);

        // The second in order has waited for longest, yet it is the first that gets the block.
        Assert.Equal(2, plan.Victim);
        Assert.Equal([new PlannedSlice(1, 1)], Plan(sessions, available: 1, maxDecodeRows: 1).Slices);
    }

    [Fact]
    public void Plan_NoDecodeRowAllowed_PrefillIsStillCapped()
    {
        var plan = Plan([Decoding(40), Prefilling(0, 1000)], available: 100, maxDecodeRows: 0);

        Assert.Equal([new PlannedSlice(1, 32)], plan.Slices);
        Assert.Equal(0, plan.DecodeRows);
    }

    [Fact]
    public void Plan_OthersDecodeElsewhere_PrefillIsCapped()
    {
        Assert.Equal(32, Plan([Prefilling(0, 1000)], available: 100, othersDecode: true).PrefillRows);
        Assert.Equal(128, Plan([Prefilling(0, 1000), Idle(40)], available: 100).PrefillRows);
    }

    [Fact]
    public void Plan_NegativeCap_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Plan([Decoding(40)], available: 100, maxDecodeRows: -1));

    [Fact]
    public void Plan_IdleSessions_ComputeNothing()
    {
        var plan = Plan([Idle(40), Decoding(20), Prefilling(16, 50) with { Idle = true }], available: 100);

        Assert.Equal([new PlannedSlice(1, 1)], plan.Slices);
    }

    [Fact]
    public void Plan_IdleSessions_KeepTheirPlaces()
    {
        var plan = Plan([Idle(40), Idle(40) with { Paused = true }, Idle(40), Idle(40), Waiting(30)], available: 100);

        Assert.Empty(plan.Admitted);
        Assert.Equal(StepPlan.None, plan.Victim);
    }

    [Fact]
    public void Plan_OnlyIdleSessionsRun_AWaitingOneNeedsRoom()
    {
        Assert.Empty(Plan([Idle(40), Waiting(400)], available: 4).Admitted);
        Assert.Equal([1], Plan([Idle(40) with { Paused = true, Idle = false }, Waiting(400)], available: 4).Admitted);
    }

    [Fact]
    public void Plan_NoBlockBesideAnOlderIdleSession_TheYoungerWaits()
    {
        var decoding = Plan([Idle(160), Decoding(16)], available: 0);
        var prefilling = Plan([Idle(160), Prefilling(16, 30)], available: 0);

        Assert.Equal((StepPlan.None, StepPlan.None), (decoding.Victim, decoding.Stuck));
        Assert.Empty(decoding.Slices);
        Assert.Equal((StepPlan.None, StepPlan.None), (prefilling.Victim, prefilling.Stuck));
        Assert.Empty(prefilling.Slices);
    }

    [Fact]
    public void Plan_NoBlockForAnOlderSession_TheYoungestIdleOneGivesBack()
    {
        Assert.Equal(2, Plan([Decoding(16), Idle(20), Idle(20)], available: 0).Victim);
        Assert.Equal(1, Plan([Idle(20), Decoding(20) with { Paused = true }, Decoding(16)], available: 0).Victim);
    }

    [Fact]
    public void Plan_PromptOfKnownLengthBeforeItsRows_ReservesTheRoom()
    {
        // 400 positions are 25 blocks and one for the answer, of which the rows that have arrived take one.
        SessionView[] sessions = [Prefilling(0, 16) with { Known = 400 }, Waiting(30)];

        Assert.Empty(Plan(sessions, available: 28).Admitted);
        Assert.Equal([1], Plan(sessions, available: 29).Admitted);
        Assert.Equal([1], Plan([Prefilling(0, 16), Waiting(30)], available: 5).Admitted);
    }

    [Theory]
    [InlineData(0, 32, 16)]
    [InlineData(4, 3, 16)]
    [InlineData(4, 8, 16)]
    [InlineData(4, 32, 15)]
    public void Constructor_SenselessLimits_AreRefused(int maxBatch, int budget, int mixed)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchScheduler(new BatchLimits(maxBatch, budget, mixed)));
    }

    private static SessionView Decoding(int applied, int client = 0) => new()
    {
        Phase = SessionPhase.Decoding,
        Client = client,
        Applied = applied,
        Remaining = 1,
        CoveredBlocks = (applied + 15) / 16,
    };

    private static SessionView ReadyAt(long since, int applied = 20) => Decoding(applied) with { ReadySince = since };

    private static SessionView Idle(int applied) => Decoding(applied) with { Remaining = 0, Idle = true };

    private static SessionView Prefilling(int applied, int remaining, int client = 0) =>
        Decoding(applied, client) with { Phase = SessionPhase.Prefilling, Remaining = remaining };

    private static SessionView Waiting(int remaining, int client = 0) =>
        new() { Phase = SessionPhase.Waiting, Client = client, Remaining = remaining };

    private static StepPlan Plan(
        SessionView[] sessions, int available, long[]? service = null, BatchLimits? limits = null, int maxDecodeRows = int.MaxValue, bool othersDecode = false)
    {
        var plan = new StepPlan();
        new BatchScheduler(limits ?? Limits).Plan(
            sessions, service ?? [0], [new KvRoom(available, int.MaxValue)], plan, maxDecodeRows, othersDecode);
        return plan;
    }
}
