using CsCheck;
using Parallax.Cli.Chaos.Faults;

namespace Parallax.UnitTests.Chaos;

public sealed class VictimChoiceTests
{
    private static readonly WorkerView[] Workers =
    [
        new("a1", 0, IsUp: true, Sessions: 0), new("a2", 0, IsUp: true, Sessions: 2),
        new("b1", 1, IsUp: false, Sessions: null), new("b2", 1, IsUp: true, Sessions: 2),
        new("c1", 2, IsUp: true, Sessions: 1), new("c2", 2, IsUp: true, Sessions: null),
        new("d1", 3, IsUp: true, Sessions: 0), new("d2", 3, IsUp: true, Sessions: 0),
    ];

    [Theory]
    [InlineData("head", "a2")]
    [InlineData("middle", "b2 c1")]
    [InlineData("tail", "d1 d2")] // nobody has sessions: any
    [InlineData("spare", "a1 d1 d2")]
    [InlineData("random", "a2 b2 c1")]
    [InlineData("router", "")]
    public void Choose_Role_IsPlayedByTheseAlone(string role, string ids)
    {
        var chosen = Enumerable.Range(0, 50).Select(draw => VictimChoice.Choose(new Victim(Names.Parse<VictimRole>(role)!.Value), (ulong)draw, Workers, 4)?.Id).OfType<string>();
        Assert.Equal(ids, string.Join(' ', chosen.Distinct().Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Choose_Next_IsTheStageBehindAndTheHeadBehindTheTail()
    {
        Assert.Equal("b2", VictimChoice.Choose(new Victim(VictimRole.Next), 0, Workers, 4, first: Workers[1])?.Id);
        Assert.Equal("a2", VictimChoice.Choose(new Victim(VictimRole.Next), 0, Workers, 4, first: Workers[6])?.Id);
    }

    [Fact]
    public void Choose_DeadWorker_IsNotHitAgain() => Assert.Null(VictimChoice.Choose(new Victim(VictimRole.Named, "b1"), 0, Workers, 4));

    [Fact]
    public void Choose_NobodyIsKnownToBeBusy_WhoeverSaysNothingMayBe()
    {
        WorkerView[] workers = [Workers[0] with { Id = "idle", IsUp = true, Sessions = 0 }, Workers[0] with { Id = "silent", IsUp = true, Sessions = null }];
        Assert.All([0UL, 1UL], draw => Assert.Equal("silent", VictimChoice.Choose(new Victim(VictimRole.Random), draw, workers, 4)?.Id));
    }

    [Fact]
    public void Choose_SecondVictim_IsNeverTheFirst() => Gen.Select(Gen.ULong, Gen.Int[0, 7], Gen.Int[0, 7]).Sample((draw, first, role) =>
        Assert.NotEqual(Workers[first].Id, VictimChoice.Choose(new Victim((VictimRole)role), draw, Workers, 4, Workers[first])?.Id));
}
