namespace Parallax.IntegrationTests.Swarm;

/// <summary>Several routers, one swarm.</summary>
[Collection(SwarmCollection.Name)]
public sealed class RoutersTests
{
    [Fact]
    public async Task Routers_AtTheSameTime_AnswerTheSame()
    {
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, ["--workers", "3"]);
        var first = await swarm.ServingAsync();
        var second = await swarm.RouterAsync("router");
        await swarm.ReadyAsync(second);
        await swarm.UntilServingAsync(await swarm.JoinAsync("joiner"));

        Story[] stories = [.. Enumerable.Range(0, 6).Select(static seed => new Story("demo", seed, 100))];
        var answers = await Task.WhenAll(new[] { first, second }.Select(http => Task.WhenAll(stories.Select(story => story.ReadAsync(http)))));

        Assert.Equal(answers[0], answers[1]);
        Assert.Equal(stories.Length, answers[0].Distinct().Count());
    }
}
