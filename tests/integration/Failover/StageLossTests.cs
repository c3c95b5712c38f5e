namespace Parallax.IntegrationTests.Failover;

/// <summary>Workers with a spare each are killed, stopped and cut off in mid-answer: the answers are those without faults.</summary>
[Collection(FailoverCollection.Name)]
public sealed class StageLossTests(SparedSwarmFixture fixture) : IClassFixture<SparedSwarmFixture>
{
    private BrokenSwarm Swarm => fixture.Swarm;

    [Theory]
    [InlineData("head")]
    [InlineData("middle")]
    [InlineData("tail")]
    public Task Worker_KilledInMidAnswer_IsReplaced(string victim) => Swarm.AnswersAsync(async breaking =>
    {
        await breaking.FlowsAsync();
        await breaking.HitAsync($"kill {victim}");
    });

    [Theory]
    [InlineData("head")]
    [InlineData("middle")]
    [InlineData("tail")]
    public Task Worker_KilledDuringPrefill_IsReplaced(string victim) => Swarm.AnswersAsync(
        async breaking =>
        {
            await breaking.UntilBusyAsync(static worker => worker.Stage == 0);
            await breaking.HitAsync($"kill {victim}");
            Breaking.StillInTime(!breaking.Traffic.AllRead.IsCompleted, "every client had its first token already");
        },
        promptTokens: 1200,
        answerTokens: 60);

    [Theory]
    [InlineData("head", "tail")]
    [InlineData("middle", "tail")]
    public Task Workers_TwoKilledAtOnce_AreReplaced(string one, string other) => Swarm.AnswersAsync(async breaking =>
    {
        await breaking.FlowsAsync();
        await Task.WhenAll(breaking.HitAsync($"kill {one}"), breaking.HitAsync($"kill {other}"));
    });

    [Fact]
    public Task Replacement_KilledDuringRecovery_IsReplacedByTheFirstWhenItIsBack() => Swarm.AnswersAsync(async breaking =>
    {
        await breaking.FlowsAsync();
        var first = await breaking.HitAsync("kill middle");
        var replacement = await breaking.UntilBusyAsync(worker => worker.Stage == 1 && worker.Id != first.Victim);
        await breaking.HitAsync($"kill {replacement.Id}");
    });

    [Theory]
    [InlineData("head")]
    [InlineData("tail")]
    public Task Worker_StoppedForAWhile_DisturbsNobodyWhenItWakesUp(string victim) => Swarm.AnswersAsync(async breaking =>
    {
        await breaking.FlowsAsync();
        await breaking.HitAsync($"pause {victim} 4s");
    });

    [Theory]
    [InlineData("partition head next 3s out")]
    [InlineData("partition head next 3s back")]
    [InlineData("partition tail next 3s out")]
    [InlineData("partition router head 3s out")]
    [InlineData("partition router tail 3s back")]
    public Task Network_OneWayAlone_LosesNothing(string fault) => Swarm.AnswersAsync(async breaking =>
    {
        await breaking.FlowsAsync();
        await breaking.InjectAsync(fault);
    });

    [Fact]
    public Task Links_CorruptedAndDropped_LoseNothing() => Swarm.AnswersAsync(
        async breaking =>
        {
            await breaking.FlowsAsync();
            await breaking.HitAsync("corrupt head next 5");
            await breaking.HitAsync("corrupt tail next 5");
            await breaking.HitAsync("corrupt middle next 5");
            await breaking.FlowsAsync();
            await breaking.HitAsync("drop head next");
            await breaking.HitAsync("drop tail next");
        },
        answerTokens: 1600); // long enough for all of it
}
