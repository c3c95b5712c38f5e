using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.KvCache.Repair;
using Parallax.KvClient.Instances;

namespace Parallax.UnitTests.KvClient;

public sealed class RepairPlanTests
{
    private const int Copies = 2;

    private static readonly ImmutableArray<KvInstance> Four =
        [.. Enumerable.Range(1, 4).Select(static number => new KvInstance(PeerId.OfPublicKey([(byte)number]), new Uri($"https://10.0.0.{number}:7100")))];

    [Fact]
    public void Block_IsOfferedToWhoIsNewAmongItsHolders()
    {
        var three = Four.RemoveAt(3);
        for (var hash = (UInt128)0; hash < 200; hash++)
        {
            var (before, after) = (Rendezvous.Holders(hash, three, Copies), Rendezvous.Holders(hash, Four, Copies));
            Assert.Equal(after.Except(before), RepairPlan.Receivers(hash, before[0].Id, three, Four, Copies));

            // One that goes leaves its place to another, and who is left tells that one.
            var (full, left) = (Rendezvous.Holders(hash, Four, Copies), Rendezvous.Holders(hash, three, Copies));
            Assert.Equal(left.Except(full), RepairPlan.Receivers(hash, full.First(one => one != Four[3]).Id, Four, three, Copies));
        }
    }

    [Fact]
    public void Block_OfInstancesThatStay_IsOfferedToNobody() =>
        Assert.All(Enumerable.Range(0, 100), static hash => Assert.Empty(RepairPlan.Receivers((UInt128)(uint)hash, Four[0].Id, Four, Four, Copies)));

    [Fact]
    public void Block_WhoseHoldersAreNotKnown_IsOfferedToAllOfThemButItself()
    {
        for (var hash = (UInt128)0; hash < 100; hash++)
        {
            var holders = Rendezvous.Holders(hash, Four, Copies);
            Assert.Equal([holders[1]], RepairPlan.Receivers(hash, holders[0].Id, [], Four, Copies));
        }
    }
}
