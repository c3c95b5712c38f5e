using Parallax.IntegrationTests.Swarm;
using Parallax.Testing.Members;
using static Parallax.IntegrationTests.KvCache.KvSwarm;

namespace Parallax.IntegrationTests.KvCache;

/// <summary>Several instances: each block is at two of them, and is again when one has gone or come.</summary>
[Collection(SwarmCollection.Name)]
public sealed class CopiesTests
{
    private const int Blocks = 40;

    [Fact]
    public async Task Copies_AreMadeAgain_WhenAnInstanceGoesAndWhenOneComes()
    {
        await using var swarm = await FoundAsync();
        MemberProcess[] instances = [await swarm.StartAsync("one"), await swarm.StartAsync("two"), await swarm.StartAsync("three")];
        await swarm.KnownAsync(instances);
        var put = await PutAsync(swarm.Client, Alice, 1, Blocks);
        Assert.Equal((2 * Blocks * Layers, 0), (put.Copies, put.Missed));
        Assert.Equal(Blocks, await LeadingAsync(swarm.Client, Alice, 1, Blocks));

        // Killed while it is asked: what it had is had from elsewhere at once.
        using var ended = new CancellationTokenSource();
        var rounds = 0;
        var reading = Task.Run(
            async () =>
            {
                while (!ended.IsCancellationRequested)
                {
                    var found = await GetAsync(swarm.Client, Alice, 1, Blocks);
                    Assert.True(found == Blocks * Layers, $"{found} parts were found in round {rounds}\n{swarm.Said}");
                    Interlocked.Increment(ref rounds);
                }
            },
            TestContext.Current.CancellationToken);
        await swarm.UntilAsync("it has been read a while", () => Task.FromResult(Volatile.Read(ref rounds) >= 2 || reading.IsCompleted));
        await instances[0].KillAsync();
        var before = Volatile.Read(ref rounds);
        await swarm.UntilAsync("it is read on", () => Task.FromResult(Volatile.Read(ref rounds) >= before + 3 || reading.IsCompleted));
        await ended.CancelAsync();
        await reading;

        await swarm.KnownAsync(instances[1], instances[2]);
        await WholeAsync(swarm, instances[1], instances[2]);

        // A new one takes its share; two of the three have each block then.
        var fourth = await swarm.StartAsync("four");
        await swarm.KnownAsync(instances[1], instances[2], fourth);
        await swarm.UntilAsync("the new instance has its share", async () => (await swarm.StatAsync(fourth)).Parts >= Blocks * Layers / 3);
        await instances[1].KillAsync();
        await instances[2].KillAsync();
        Assert.InRange(await GetAsync(swarm.Client, Alice, 1, Blocks), Blocks * Layers / 3, Blocks * Layers);
    }

    private static async Task WholeAsync(KvSwarm swarm, params MemberProcess[] instances)
    {
        foreach (var instance in instances)
        {
            var client = swarm.Only(instance);
            await swarm.UntilAsync($"{instance.Name} has all blocks", async () => await LeadingAsync(client, Alice, 1, Blocks) == Blocks);
        }
    }
}
