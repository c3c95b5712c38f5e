using Parallax.Identity;
using Parallax.Identity.Access;

namespace Parallax.UnitTests.Identity;

public sealed class AccessTests
{
    private static readonly AccessTable Table = new([new AccessEntry("parallax.v1.Weights", AccessRule.Of(MemberRoles.Worker))]);

    [Theory]
    [InlineData("/parallax.v1.Membership/Join", null, "Allowed")]
    [InlineData("/parallax.v1.Membership/Renew", null, "Unauthenticated")]
    [InlineData("/parallax.v1.Membership/Renew", MemberRoles.None, "Allowed")]
    [InlineData("/parallax.v1.Worker/Control", null, "Unauthenticated")]
    [InlineData("/parallax.v1.Worker/Control", MemberRoles.Worker, "Denied")]
    [InlineData("/parallax.v1.Worker/Control", MemberRoles.Router, "Allowed")]
    [InlineData("/parallax.v1.Worker/GetInfo", null, "Unauthenticated")]
    [InlineData("/parallax.v1.Worker/GetInfo", MemberRoles.Worker, "Allowed")]
    [InlineData("/parallax.v1.Worker/LoadShard", MemberRoles.Router | MemberRoles.Worker, "Denied")]
    [InlineData("/parallax.v1.Worker/LoadShard", MemberRoles.Scheduler, "Allowed")]
    [InlineData("/parallax.transport.v1.Links/Frames", MemberRoles.Router, "Denied")]
    [InlineData("/parallax.transport.v1.Links/Frames", MemberRoles.Worker, "Allowed")]
    [InlineData("/parallax.v1.Swarm/Leave", MemberRoles.Worker, "Denied")]
    [InlineData("/parallax.v1.Swarm/Leave", MemberRoles.Admin, "Allowed")]
    [InlineData("/parallax.v1.Overlay/Store", MemberRoles.Router, "Allowed")]
    [InlineData("/parallax.v1.Weights/Get", MemberRoles.Worker, "Allowed")]
    [InlineData("/parallax.v1.Weights/Get", MemberRoles.Router, "Denied")]
    [InlineData("/parallax.v1.Unknown/Call", MemberRolesText.All, "Denied")]
    [InlineData("/parallax.v1.Unknown/Call", null, "Unauthenticated")]
    [InlineData("/PARALLAX.V1.Membership/Join", null, "Unauthenticated")]
    [InlineData("/parallax.v1.membership/join", MemberRolesText.All, "Denied")]
    [InlineData("/parallax.v1.Membership/Join/", null, "Unauthenticated")]
    [InlineData("//parallax.v1.Membership/Join", null, "Unauthenticated")]
    [InlineData("/", MemberRolesText.All, "Denied")]
    [InlineData("", null, "Unauthenticated")]
    public void Decide_CallAndCaller_FollowsTheTable(string path, MemberRoles? roles, string expected)
    {
        var caller = roles is { } some ? new MemberIdentity(default, default, some, default, default) : null;

        Assert.Equal(expected, AccessPolicy.Decide(Table.Find(path), caller).ToString());
    }

    [Theory]
    [InlineData("worker", MemberRoles.Worker)]
    [InlineData("worker, router", MemberRoles.Worker | MemberRoles.Router)]
    [InlineData("member", MemberRoles.None)]
    [InlineData("king", null)]
    [InlineData("", null)]
    public void Parse_Roles_ReadsWords(string text, MemberRoles? roles) => Assert.Equal(roles, MemberRolesText.Parse(text));
}
