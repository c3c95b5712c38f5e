using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Identity.Membership;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Identity;

/// <summary>Joining, renewing, being put out.</summary>
public sealed class MembershipTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Join_WithAToken_MakesAMemberWithItsRoles()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await StartAsync(swarm);
        var token = await swarm.TokenAsync(node.Credentials.Self, MemberRoles.Worker | MemberRoles.Router);
        var key = swarm.NewKey();

        using var joined = await MembershipClient.JoinAsync(node.Address, token, key, swarm.Clock, Token);

        Assert.Equal((key.Id, swarm.Authority.Swarm, MemberRoles.Worker | MemberRoles.Router), (joined.Self, joined.Swarm, joined.Member.Roles));
        using var caller = Caller.Member(joined, node.Address);
        Assert.Equal(node.Credentials.Self.ToString(), (await caller.Worker.GetInfoAsync(new GetInfoRequest(), cancellationToken: Token)).WorkerId);
        var listed = Assert.Single(swarm.Authority.Members);
        Assert.Equal((key.Id.ToString(), token.Id.ToString(), "127.0.0.1"), (listed.Peer, listed.Token, listed.Address));
        Assert.True(node.Log.Has(key.Id.ToString(), "joined as worker,router", "127.0.0.1"));
    }

    [Theory]
    [InlineData("expired", "expired")]
    [InlineData("revoked", "is revoked")]
    [InlineData("forged", "is for swarm")]
    [InlineData("pin", "It is not the machine that the token came from")]
    [InlineData("peer", "Peer * is revoked")]
    [InlineData("nobody", "does not answer")]
    [InlineData("clear", "no address of a swarm")]
    public async Task Join_WhatIsWrong_IsRefusedAndSaid(string kind, string said)
    {
        using var swarm = await TestSwarm.FoundAsync();
        using var other = await TestSwarm.FoundAsync();
        await using var node = await StartAsync(swarm);
        var (key, address) = (swarm.NewKey(), node.Address);
        var token = await (kind == "forged" ? other : swarm).TokenAsync(kind == "pin" ? key.Id : node.Credentials.Self, life: TimeSpan.FromHours(1));
        switch (kind)
        {
            case "expired":
                swarm.Clock.Shift = TimeSpan.FromHours(2); // the server's; the joiner's own clock is behind
                break;
            case "revoked":
                await swarm.Authority.RevokeTokenAsync(token.Id, Token);
                break;
            case "peer":
                await swarm.Authority.RevokePeerAsync(key.Id, Token);
                break;
            case "nobody":
                address = new Uri("https://127.0.0.1:1");
                break;
            case "clear":
                address = new Uri($"http://127.0.0.1:{node.Address.Port}");
                break;
            default:
                break;
        }

        var error = await Assert.ThrowsAsync<IdentityException>(() => MembershipClient.JoinAsync(address, token, key, TimeProvider.System, Token));

        Assert.All(said.Split('*'), part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
        Assert.Empty(swarm.Authority.Members);
        // Who is refused is logged with the address; whom the joiner itself does not talk to has heard nothing.
        Assert.Equal(kind is "expired" or "revoked" or "forged" or "peer", node.Log.Has("Warning", "Refused to let 127.0.0.1 join"));
    }

    [Fact]
    public async Task Join_WithoutAToken_IsRefusedAndAfterTenTimesNotEvenHeard()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await StartAsync(swarm);
        using var stranger = Caller.Stranger(node.Address);
        for (var i = 0; i < 10; i++)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await stranger.Membership.JoinAsync(new JoinRequest { Token = i % 2 == 0 ? "" : "plx1_x" }, cancellationToken: Token));
            Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
            Assert.Contains("token", refused.Status.Detail, StringComparison.Ordinal);
        }

        var token = await swarm.TokenAsync(node.Credentials.Self);
        var limited = await Assert.ThrowsAsync<IdentityException>(() => MembershipClient.JoinAsync(node.Address, token, swarm.NewKey(), swarm.Clock, Token));
        Assert.Contains("Too many refused attempts", limited.Message, StringComparison.Ordinal);
        swarm.Clock.Shift = TimeSpan.FromMinutes(1);
        using var joined = await MembershipClient.JoinAsync(node.Address, token, swarm.NewKey(), swarm.Clock, Token);
    }

    [Fact]
    public async Task Join_AtAMemberWithoutTheSwarmsKey_SaysWhoHasIt()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await SwarmNode.StartAsync(
            swarm.Member(MemberRoles.Worker), swarm.Clock, new MembershipOptions { IssuerAddress = static () => new Uri("https://10.1.2.3:7100") });

        var token = await swarm.TokenAsync(node.Credentials.Self);
        var error = await Assert.ThrowsAsync<IdentityException>(() => MembershipClient.JoinAsync(node.Address, token, swarm.NewKey(), swarm.Clock, Token));

        Assert.Contains("ask the one at https://10.1.2.3:7100", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renewal_AtHalfOfTheLife_GivesNewConnectionsTheNewCertificate()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await StartAsync(swarm);
        var member = swarm.Member(MemberRoles.Worker);
        var before = member.Member.NotAfter;
        using var old = new HttpClient(member.CreateHandler()) { DefaultRequestVersion = System.Net.HttpVersion.Version20 };
        Assert.Equal(before, await WhoAsync(old, node));
        swarm.Clock.Shift = TimeSpan.FromHours(14);

        using var renewal = new CertificateRenewal(
            member,
            stop => MembershipClient.RenewAsync(member, node.Address, node.Credentials.Self, swarm.Clock, stop),
            folder: null,
            swarm.Clock,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<CertificateRenewal>.Instance);
        await renewal.StartAsync(Token);
        await Eventually.TrueAsync(() => member.Member.NotAfter > before);
        await renewal.StopAsync(Token);

        Assert.Equal(MemberRoles.Worker, member.Member.Roles);
        Assert.Equal(before, await WhoAsync(old, node)); // an open connection goes on as it began
        using var fresh = new HttpClient(member.CreateHandler()) { DefaultRequestVersion = System.Net.HttpVersion.Version20 };
        Assert.Equal(member.Member.NotAfter, await WhoAsync(fresh, node));
        swarm.Clock.Shift = TimeSpan.FromHours(25); // past the first certificate, not past the second
        Assert.Equal(member.Member.NotAfter, await WhoAsync(fresh, node));
        await Assert.ThrowsAsync<FormatException>(() => WhoAsync(old, node));
    }

    [Fact]
    public async Task Renew_RevokedMeanwhile_IsRefused()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await StartAsync(swarm);
        var member = swarm.Member(MemberRoles.Worker);
        await swarm.Authority.RevokePeerAsync(member.Self, Token); // by a command, as it were: nobody has told the node

        await Assert.ThrowsAsync<IdentityException>(() => MembershipClient.RenewAsync(member, node.Address, null, swarm.Clock, Token));
        await Eventually.TrueAsync(() => node.Credentials.Revocations.Contains(member.Self));
    }

    [Fact]
    public async Task Revocations_WrittenByACommand_AreAppliedAndPassedOn()
    {
        using var swarm = await TestSwarm.FoundAsync();
        await using var node = await StartAsync(swarm);
        var (member, outsider) = (swarm.Member(MemberRoles.Worker), swarm.NewKey().Id);

        await swarm.Authority.RevokePeerAsync(outsider, Token);
        await Eventually.TrueAsync(() => node.Credentials.Revocations.Contains(outsider));

        await MembershipClient.FetchRevocationsAsync(member, node.Address, null, swarm.Clock, Token);
        Assert.True(member.Revocations.Contains(outsider));
        await MembershipClient.FetchRevocationsAsync(member, node.Address, null, swarm.Clock, Token);
        Assert.Equal(1, member.Revocations.Version);
    }

    private static async Task<DateTimeOffset> WhoAsync(HttpClient http, SwarmNode node) => DateTimeOffset.Parse(
        await http.GetStringAsync(new Uri(node.Address, SwarmNode.WhoPath), Token), System.Globalization.CultureInfo.InvariantCulture);

    private static Task<SwarmNode> StartAsync(TestSwarm swarm) =>
        SwarmNode.StartAsync(swarm.Member(MemberRolesText.All), swarm.Clock, new MembershipOptions { Authority = swarm.Authority });
}
