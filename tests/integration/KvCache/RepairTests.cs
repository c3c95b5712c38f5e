using Parallax.IntegrationTests.Swarm;
using Parallax.KvBlocks;
using Parallax.KvCache;
using static Parallax.IntegrationTests.KvCache.KvSwarm;

namespace Parallax.IntegrationTests.KvCache;

/// <summary>What <see cref="CopiesTests"/> tries with processes, with instances in this one: they are there sooner, and can be looked into.</summary>
[Collection(SwarmCollection.Name)]
public sealed class RepairTests
{
    private const int Blocks = 30;

    [Fact]
    public async Task Copies_OfOneThatIsGone_AreMadeAgain()
    {
        await using var swarm = await FoundAsync();
        var first = await swarm.HostAsync("one");
        await using var second = await swarm.HostAsync("two");
        await using var third = await swarm.HostAsync("three");
        await swarm.UntilAsync("all know of three", () => Task.FromResult(
            swarm.Instances.Current.Length == 3 && second.Others.Current.Length == 3 && third.Others.Current.Length == 3));
        var put = await PutAsync(swarm.Client, Alice, 1, Blocks);
        Assert.Equal((2 * Blocks * Layers, 0), (put.Copies, put.Missed));
        Assert.True(second.Store.Statistics.Parts < Blocks * Layers || third.Store.Statistics.Parts < Blocks * Layers);

        await first.DisposeAsync();
        Assert.Equal(Blocks * Layers, await GetAsync(swarm.Client, Alice, 1, Blocks)); // at once, from the other copies

        await swarm.UntilAsync("two have everything", () => Task.FromResult(
            second.Store.Statistics.Parts == Blocks * Layers && third.Store.Statistics.Parts == Blocks * Layers));

        await using var fourth = await swarm.HostAsync("four");
        await swarm.UntilAsync("the new one has its share", () => Task.FromResult(fourth.Store.Statistics.Parts >= Blocks * Layers / 3));
        Assert.All(Parts(fourth), static part => Assert.Equal(Alice, part.Tenant));
    }

    private static List<ScannedPart> Parts(KvCacheInstance instance)
    {
        var found = new List<ScannedPart>();
        instance.Store.Scan(0, int.MaxValue, found);
        return found;
    }
}
