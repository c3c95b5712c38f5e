using System.Net;
using CsCheck;
using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Routing;

namespace Parallax.UnitTests.Overlay;

public sealed class RoutingTableTests
{
    private static readonly PeerId Self = new(new byte[20]);

    [Fact]
    public void Answered_FullBucket_LeavesTheOldestThere_AndTheNewcomerWaits()
    {
        var table = Table(k: 3);
        var peers = Enumerable.Range(0, 4).Select(Far).ToArray();
        Assert.All(peers[..3], peer => Assert.Equal(BucketChange.Added, table.Answered(peer, default, default)));
        Assert.Equal(BucketChange.Waits, table.Answered(peers[3], default, default));
        Assert.Equal(3, table.Count);
        Assert.Null(table.Find(peers[3].Id));
        Assert.Equal(peers[0], table.LeastRecentlySeen(peers[3].Id));
    }

    [Fact]
    public void Answered_KnownPeer_IsTheMostRecentlySeen()
    {
        var table = Table(k: 3);
        var peers = Enumerable.Range(0, 3).Select(Far).ToArray();
        Array.ForEach(peers, peer => table.Answered(peer, default, default));
        Assert.Equal(BucketChange.Updated, table.Answered(peers[0], TimeSpan.FromMilliseconds(3), default));
        Assert.Equal(peers[1], table.LeastRecentlySeen(peers[0].Id));
        Assert.Equal(TimeSpan.FromMilliseconds(3), table.Find(peers[0].Id)!.RoundTrip);
    }

    [Fact]
    public void Failed_ThreeTimes_TheOneThatWaitsTakesThePlace()
    {
        var table = Table(k: 3);
        var peers = Enumerable.Range(0, 4).Select(Far).ToArray();
        Array.ForEach(peers, peer => table.Answered(peer, default, default));
        Assert.Null(table.Failed(peers[1].Id));
        Assert.Null(table.Failed(peers[1].Id));
        Assert.NotNull(table.Find(peers[1].Id));
        Assert.DoesNotContain(peers[1], table.Closest(peers[1].Id, 20));
        Assert.Equal(peers[1], table.Failed(peers[1].Id));
        Assert.NotNull(table.Find(peers[3].Id));
        Assert.Equal(3, table.Count);
    }

    [Fact]
    public void Answered_AfterFailures_CountsAnew()
    {
        var table = Table(k: 3);
        table.Answered(Far(0), default, default);
        table.Failed(Far(0).Id);
        table.Failed(Far(0).Id);
        table.Answered(Far(0), default, default);
        Assert.Null(table.Failed(Far(0).Id));
        Assert.Null(table.Failed(Far(0).Id));
        Assert.NotNull(table.Failed(Far(0).Id));
    }

    [Fact]
    public void Answered_OneNetworkOnly_GetsItsShare_LoopbackAndTrustedAll()
    {
        Assert.Equal(2, CountOf("203.0.113", new NetworkShare([])));
        Assert.Equal(10, CountOf("127.0.0", new NetworkShare([])));
        Assert.Equal(10, CountOf("203.0.113", new NetworkShare([IPNetwork.Parse("203.0.0.0/16")])));

        static int CountOf(string network, NetworkShare share)
        {
            var table = new RoutingTable(Self, k: 20, replacements: 5, perNetwork: 2, share);
            var changes = Enumerable.Range(0, 10).Select(i => table.Answered(TestRecords.Peer(Far(i).Id, i, network), default, default)).ToList();
            Assert.Equal(10 - table.Count, changes.Count(change => change == BucketChange.NetworkRefused));
            return table.Count;
        }
    }

    [Fact]
    public void Failed_NetworkHasItsShare_ItsOthersDoNotTakeThePlace()
    {
        var table = new RoutingTable(Self, k: 2, replacements: 5, perNetwork: 1, new NetworkShare([]));
        table.Answered(TestRecords.Peer(Far(0).Id, 0, "203.0.113"), default, default);
        table.Answered(Far(1), default, default);
        Assert.Equal(BucketChange.NetworkRefused, table.Answered(TestRecords.Peer(Far(2).Id, 2, "203.0.113"), default, default));
        table.Answered(Far(3), default, default);
        for (var i = 0; i < 3; i++)
        {
            table.Failed(Far(1).Id);
        }

        Assert.NotNull(table.Find(Far(3).Id));
        Assert.Null(table.Find(Far(2).Id));
    }

    [Theory]
    [InlineData("http://203.0.113.9:1", "http://203.0.113.200:2", true)]
    [InlineData("http://203.0.113.9:1", "http://203.0.114.9:1", false)]
    [InlineData("http://[2001:db8:1:2::1]:1", "http://[2001:db8:1:2:ffff::1]:1", true)]
    [InlineData("http://[2001:db8:1:2::1]:1", "http://[2001:db8:1:3::1]:1", false)]
    [InlineData("http://a.evil.example:1", "http://b.evil.example:1", true)]
    [InlineData("http://a.evil.example:1", "http://a.good.example:1", false)]
    [InlineData("http://[::ffff:203.0.113.9]:1", "http://203.0.113.1:1", true)]
    public void NetworkOf_GroupsAddresses(string one, string other, bool isSame)
    {
        var share = new NetworkShare([]);
        Assert.NotNull(share.Of(new Uri(one)));
        Assert.Equal(isSame, share.Of(new Uri(one)) == share.Of(new Uri(other)));
    }

    [Theory]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("http://[::1]:1")]
    [InlineData("http://localhost:1")]
    public void NetworkOf_Loopback_CountsForNone(string address) => Assert.Null(new NetworkShare([]).Of(new Uri(address)));

    [Fact]
    public void RandomIn_EveryBucket_IsInIt()
    {
        var random = new Random(3);
        var self = Id(random);
        var table = new RoutingTable(self, 20, 5, 8, new NetworkShare([]));
        for (var bucket = 0; bucket < RoutingTable.Buckets; bucket++)
        {
            Assert.Equal(bucket, self.DistanceTo(table.RandomIn(bucket, random)).LeadingZeros());
        }
    }

    [Fact]
    public void Untouched_NamesBucketsWithoutALookup()
    {
        var table = Table(k: 3);
        table.Answered(Far(0), default, default);
        Assert.Equal([0], table.Untouched(TimeSpan.Zero));
        table.Touch(Far(1).Id, TimeSpan.FromMinutes(5));
        Assert.Empty(table.Untouched(TimeSpan.FromMinutes(4)));
        Assert.Equal([0], table.Untouched(TimeSpan.FromMinutes(6)));
    }

    [Fact]
    public void RandomHistory_KeepsItsInvariants() =>
        Gen.Select(Gen.Int[0, 200], Gen.Int[0, 3]).Array[1, 400].Sample(steps =>
        {
            const int k = 4;
            var random = new Random(1);
            var ids = Enumerable.Range(0, 201).Select(_ => Id(random)).ToArray();
            var self = Id(random);
            var table = new RoutingTable(self, k, replacements: 3, perNetwork: 2, new NetworkShare([]));
            var (answered, now) = (new HashSet<PeerId>(), TimeSpan.Zero);
            foreach (var (number, kind) in steps)
            {
                now += TimeSpan.FromSeconds(1);
                if (kind == 0)
                {
                    table.Failed(ids[number]);
                }
                else
                {
                    answered.Add(ids[number]);
                    table.Answered(TestRecords.Peer(ids[number], number, $"10.0.{number % 40}"), default, now);
                }

                var entries = table.Entries.ToList();
                Assert.Equal(entries.Count, table.Count);
                Assert.Equal(entries.Count, entries.Select(entry => entry.Contact.Id).Distinct().Count());
                Assert.All(entries, entry => Assert.Contains(entry.Contact.Id, answered));
                foreach (var bucket in entries.GroupBy(entry => self.DistanceTo(entry.Contact.Id).LeadingZeros()))
                {
                    Assert.True(bucket.Count() <= k);
                    Assert.All(bucket.GroupBy(entry => entry.Network), network => Assert.True(network.Count() <= 2));
                }

                var target = ids[(number * 7) % ids.Length];
                var expected = entries.Where(entry => entry.Failures == 0).Select(entry => entry.Contact).OrderBy(contact => contact.Id.DistanceTo(target)).Take(5);
                Assert.Equal(expected, table.Closest(target, 5));
            }
        });

    private static RoutingTable Table(int k) => new(Self, k, replacements: 5, perNetwork: 100, new NetworkShare([]));

    /// <summary>A peer in the farthest bucket.</summary>
    private static PeerContact Far(int number)
    {
        var bytes = new byte[20];
        (bytes[0], bytes[19]) = (0x80, (byte)number);
        return TestRecords.Peer(new PeerId(bytes), number);
    }

    private static PeerId Id(Random random)
    {
        var bytes = new byte[20];
        random.NextBytes(bytes);
        return new PeerId(bytes);
    }
}
