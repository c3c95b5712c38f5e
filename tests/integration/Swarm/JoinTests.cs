using Parallax.Contracts.V1;
using Parallax.Testing;
using Parallax.Testing.Members;

namespace Parallax.IntegrationTests.Swarm;

/// <summary>A machine more, while the swarm answers.</summary>
[Collection(SwarmCollection.Name)]
public sealed class JoinTests
{
    private const string SmolLm2 = "SmolLM2-135M-Instruct.Q4_1";

    private static string SmolLm2Path => TestData.PathOf("models", "smollm2", $"{SmolLm2}.gguf");

    [Fact]
    public async Task Join_WhileAStreamRunsOverThreeStages_TakesLayersAndChangesNoByte()
    {
        Assert.SkipWhen(TestData.MissingReason(SmolLm2Path) is not null, TestData.MissingReason(SmolLm2Path) ?? "");
        await using var swarm = await SwarmProcesses.FoundAsync(SmolLm2Path, ["--workers", "3", "--ctx", "1024"]);
        var http = await swarm.ServingAsync();
        var three = await swarm.UntilAsync("three workers serve", static all => all.Workers.Count == 3 && all.Workers.All(IsServing));
        Assert.All(three.Workers, static worker => Assert.InRange(worker.Shards.Single().Model.LayerEnd - worker.Shards.Single().Model.LayerStart, 1, 29));

        var traffic = await Traffic.BeginAsync(http, new Story(SmolLm2, 7, 200));
        var joiner = await swarm.JoinAsync("joiner");
        var record = await swarm.UntilServingAsync(joiner);
        Assert.Equal(SmolLm2, record.Shards[0].Model.Name);
        await traffic.FlowsAsync(); // the stream that was running when it began to serve goes on
        await traffic.EndAsync(swarm);

        // More at once than one path is best for, even if the joiner's first steps were slow ones: it computes some of them, and nobody can tell which.
        Story[] stories = [.. Enumerable.Repeat(new Story(SmolLm2, 7, 100), 12)];
        var many = await Traffic.BeginAsync(http, stories);
        await swarm.UntilAsync("the joiner has sessions", all => Sessions(all, joiner) > 0);
        await many.EndAsync(swarm);
    }

    internal static bool IsServing(WorkerRecord worker) => worker.Phase == WorkerPhase.Serving && worker.Shards.Any(static shard => shard.State == ShardState.Serving);

    internal static int Sessions(SwarmStatus status, MemberProcess worker) =>
        status.Workers.Where(record => record.Name == worker.Name).Sum(static record => record.Shards.Sum(static shard => shard.Sessions));
}
