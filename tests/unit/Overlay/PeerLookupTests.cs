using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Lookup;
using Parallax.Overlay.Routing;

namespace Parallax.UnitTests.Overlay;

public sealed class PeerLookupTests
{
    private static readonly PeerId Target = new(new byte[20]);
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(300);

    [Fact]
    public void Next_AsksTheClosestFirst_AtMostAlphaAtOnce()
    {
        var lookup = Lookup(5, 9, 3, 7);
        Assert.Equal([3, 5, 7], Ask(lookup, 20, default));
        Assert.Null(lookup.Next(20, default));
        lookup.Answered(Peer(5).Id, [Peer(1)]);
        Assert.Equal([1], Ask(lookup, 20, default));
        lookup.Failed(Peer(3).Id);
        Assert.Equal([9], Ask(lookup, 20, default));
    }

    [Fact]
    public void IsConverged_NeedsTheClosest_NotTheFirst()
    {
        var lookup = Lookup(10, 11, 12);
        Ask(lookup, 3, default);
        lookup.Answered(Peer(11).Id, []);
        lookup.Answered(Peer(12).Id, []);
        Assert.False(lookup.IsConverged(3, default));
        lookup.Answered(Peer(10).Id, [Peer(4)]);
        Assert.False(lookup.IsConverged(3, default));
        Ask(lookup, 3, default);
        lookup.Answered(Peer(4).Id, []);
        Assert.True(lookup.IsConverged(3, default));
        Assert.Equal(2, lookup.Hops(3));
    }

    [Fact]
    public void SlowPeer_IsPassedBy_AndCountsWhenItAnswers()
    {
        var lookup = Lookup(1, 2, 3, 4);
        Ask(lookup, 3, default);
        lookup.Answered(Peer(2).Id, []);
        lookup.Answered(Peer(3).Id, []);
        Assert.Empty(Ask(lookup, 3, default));
        Assert.Equal([4], Ask(lookup, 3, Slow));
        lookup.Answered(Peer(4).Id, []);
        Assert.True(lookup.IsConverged(3, Slow));
        lookup.Answered(Peer(1).Id, []);
        Assert.Equal(1, lookup.Candidates[0].Contact.Address.Port);
        Assert.Equal(CandidateState.Answered, lookup.Candidates[0].State);
    }

    [Fact]
    public void TooFewPeers_ConvergesWhenAllHaveAnsweredOrFailed()
    {
        var lookup = Lookup(1, 2);
        Ask(lookup, 20, default);
        lookup.Answered(Peer(1).Id, []);
        Assert.False(lookup.IsConverged(20, default));
        Assert.False(lookup.IsConverged(20, Slow)); // it may yet answer
        lookup.Failed(Peer(2).Id);
        Assert.True(lookup.IsConverged(20, default));
    }

    [Fact]
    public void PeersMadeUpWithoutEnd_EndTheLookup()
    {
        var lookup = Lookup(60_000);
        var asked = 0;
        var port = 59_999;
        while (!lookup.IsConverged(3, default) && asked < 100_000)
        {
            foreach (var candidate in Ask(lookup, 3, default))
            {
                asked++;
                lookup.Answered(Peer(candidate).Id, Enumerable.Range(0, 3).Select(_ => Peer(port--)));
            }
        }

        Assert.True(lookup.IsConverged(3, default));
        Assert.InRange(asked, 100, 200);
        Assert.True(lookup.Candidates.Count <= 130);
    }

    private static PeerLookup Lookup(params int[] closest) =>
        new(Target, Peer(65_000), closest.Select(Peer), alpha: 3, Slow);

    private static List<int> Ask(PeerLookup lookup, int window, TimeSpan now)
    {
        var asked = new List<int>();
        while (lookup.Next(window, now) is { } candidate)
        {
            asked.Add(candidate.Contact.Address.Port);
        }

        return asked;
    }

    /// <summary>A peer whose distance to the target is its port.</summary>
    private static PeerContact Peer(int distance)
    {
        var bytes = new byte[20];
        (bytes[18], bytes[19]) = ((byte)(distance >> 8), (byte)distance);
        return new PeerContact(new PeerId(bytes), new Uri($"http://10.0.0.1:{distance}"));
    }
}
