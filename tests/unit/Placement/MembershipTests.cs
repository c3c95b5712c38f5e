using Parallax.Contracts.Identifiers;
using Parallax.Placement;
using Parallax.Placement.Members;
using static Parallax.Testing.Placement.TestClusters;

namespace Parallax.UnitTests.Placement;

public sealed class MembershipTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private static readonly Membership Empty = new(Lease);

    [Fact]
    public void Apply_JoinAndRenewals_KeepTheLeaseUntilOneIsMissed()
    {
        var members = Join(Empty, "a", 1, 1, 0);
        members = members.Apply(new MemberRenewed("a", 1, 2, null, default), At(29)).Next;
        Assert.True(members.Members.ContainsKey("a"));
        Assert.Equal(At(59), members.NextDeadline());
        var change = members.Apply(new TimePassed(), At(59));
        Assert.True(change.IsNews);
        Assert.Empty(change.Next.Members);
    }

    [Fact]
    public void Apply_RenewalThatChangesNothing_IsNoNews()
    {
        var members = Join(Empty, "a", 1, 1, 0);
        Assert.False(members.Apply(new MemberRenewed("a", 1, 2, null, default), At(1)).IsNews);
        Assert.False(members.Apply(new MemberRenewed("a", 1, 2, Node("a", 3), []), At(1)).IsNews);
        Assert.True(members.Apply(new MemberRenewed("a", 1, 2, Node("a", 4), []), At(1)).IsNews);
        Assert.True(members.Apply(new MemberRenewed("a", 1, 2, null, [new Assignment("a", "m", new LayerRange(0, 1))]), At(1)).IsNews);
    }

    [Fact]
    public void Apply_OlderNews_IsRefusedAndChangesNothing()
    {
        var members = Join(Empty, "a", 5, 7, 0);
        Refused(members, new MemberJoined(Node("a", 9), 4, 99));
        Refused(members, new MemberJoined(Node("a", 9), 5, 7));
        Refused(members, new MemberRenewed("a", 5, 7, null, default));
        Refused(members, new MemberRenewed("a", 4, 8, null, default));
        Refused(members, new MemberRenewed("a", 6, 8, null, default));
        Refused(members, new MemberLeft("a", 4));
    }

    [Fact]
    public void Apply_NewStart_ForgetsWhatTheOldOneHeld()
    {
        var members = Join(Empty, "a", 1, 1, 0);
        members = members.Apply(new MemberRenewed("a", 1, 2, null, [new Assignment("a", "m", new LayerRange(0, 1))]), At(1)).Next;
        Assert.Single(members.Holds);
        Assert.Single(Join(members, "a", 1, 3, 2).Holds);
        Assert.Empty(Join(members, "a", 2, 1, 2).Holds);
    }

    [Fact]
    public void Apply_EventsThatCannotBe_AreRefusedWithAReason()
    {
        var members = Join(Empty, "a", 1, 1, 0);
        Refused(members, null!);
        Refused(members, new MemberJoined(null!, 1, 1));
        Refused(members, new MemberJoined(Node("", 1), 1, 1));
        Refused(members, new MemberJoined(Node("b", 1) with { MemoryBytes = -5 }, 1, 1));
        Refused(members, new MemberJoined(Node("b", 1) with { BandwidthGBps = double.PositiveInfinity }, 1, 1));
        Refused(members, new MemberRenewed("b", 1, 1, null, default));
        Refused(members, new MemberRenewed("a", 1, 2, Node("b", 1), default));
        Refused(members, new MemberRenewed("a", 1, 2, null, [new Assignment("b", "m", new LayerRange(0, 1))]));
        Refused(members, new MemberRenewed("a", 1, 2, null, [.. Enumerable.Repeat(new Assignment("a", "m", new LayerRange(0, 1)), Membership.MostHeld + 1)]));
        Refused(members, new MemberLeft("b", 1));
    }

    [Fact]
    public void Apply_RefusedEventAfterALeaseHasEnded_StillEndsTheLease()
    {
        var change = Join(Empty, "a", 1, 1, 0).Apply(new MemberLeft("b", 1), At(31));
        Assert.NotNull(change.Refused);
        Assert.True(change.IsNews);
        Assert.Empty(change.Next.Members);
    }

    private static TimeSpan At(int seconds) => TimeSpan.FromSeconds(seconds);

    private static Membership Join(Membership members, string id, long incarnation, long sequence, int seconds)
    {
        var change = members.Apply(new MemberJoined(Node(id, 3), incarnation, sequence), At(seconds));
        Assert.Null(change.Refused);
        return change.Next;
    }

    private static void Refused(Membership members, MemberEvent @event)
    {
        var change = members.Apply(@event, At(1));
        Assert.False(string.IsNullOrEmpty(change.Refused));
        Assert.False(change.IsNews);
        Assert.Same(members, change.Next);
    }
}
