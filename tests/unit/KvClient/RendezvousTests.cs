using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.KvClient.Instances;

namespace Parallax.UnitTests.KvClient;

public sealed class RendezvousTests
{
    private static readonly ImmutableArray<KvInstance> Five = [.. Enumerable.Range(1, 5).Select(Instance)];

    [Fact]
    public void Order_OfTheSameInstances_IsTheSameForAll()
    {
        for (var hash = (UInt128)0; hash < 100; hash++)
        {
            Assert.Equal(Rendezvous.Order(hash, Five), Rendezvous.Order(hash, [.. Five.Reverse()]));
            Assert.Equal(Five.Order(Comparer<KvInstance>.Create(static (a, b) => a.Id.CompareTo(b.Id))), Rendezvous.Order(hash, Five).OrderBy(static one => one.Id));
        }
    }

    [Fact]
    public void Instance_ThatGoes_MovesItsOwnBlocksOnly()
    {
        var four = Five.RemoveAt(2);
        for (var hash = (UInt128)0; hash < 1000; hash++)
        {
            var before = Rendezvous.Holders(hash, Five, 2);
            var after = Rendezvous.Holders(hash, four, 2);
            Assert.Equal(before.Remove(Five[2]), after.Where(before.Contains)); // who had it still has it, in the same order
            Assert.Equal(before.Contains(Five[2]) ? 1 : 0, after.Count(one => !before.Contains(one)));
        }
    }

    [Fact]
    public void Blocks_AreSpreadEvenly()
    {
        var counts = Five.ToDictionary(static one => one, static _ => 0);
        for (var hash = (UInt128)0; hash < 10_000; hash++)
        {
            foreach (var holder in Rendezvous.Holders(hash, Five, 2))
            {
                counts[holder]++;
            }
        }

        Assert.All(counts.Values, static count => Assert.InRange(count, 3800, 4200));
    }

    [Fact]
    public void Holders_AreAsManyAsThereAre()
    {
        Assert.Empty(Rendezvous.Holders(1, [], 2));
        Assert.Equal([Five[0]], Rendezvous.Holders(1, [Five[0]], 2));
    }

    private static KvInstance Instance(int number) => new(PeerId.OfPublicKey([(byte)number]), new Uri($"https://10.0.0.{number}:7100"));
}
