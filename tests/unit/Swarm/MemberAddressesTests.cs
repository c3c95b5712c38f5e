using System.Net;
using Parallax.Hosting;
using Parallax.Swarm.Hosting;
using Parallax.Swarm.Joining;

namespace Parallax.UnitTests.Swarm;

/// <summary>Where a member may be dialled, and addresses as people write them.</summary>
public sealed class MemberAddressesTests
{
    private static readonly Uri Loopback = new("https://127.0.0.1:9");

    [Fact]
    public void What_the_user_says_is_all_there_is()
    {
        Uri[] said = [new("https://outside.example:443"), new("https://10.1.1.1:7100")];
        Assert.Equal(said, MemberAddresses.Candidates(said, new Uri("https://0.0.0.0:7100"), Loopback));
    }

    [Fact]
    public void One_address_that_is_listened_at_is_the_only_candidate() =>
        Assert.Equal([new Uri("https://10.0.0.2:7100")], MemberAddresses.Candidates([], new Uri("https://10.0.0.2:7100"), Loopback));

    [Theory]
    [InlineData("https://0.0.0.0:7100")]
    [InlineData("https://[::]:7100")]
    public void Of_all_interfaces_the_one_towards_the_other_member_comes_first(string listening)
    {
        var candidates = MemberAddresses.Candidates([], new Uri(listening), Loopback);

        Assert.Equal(new Uri("https://127.0.0.1:7100"), candidates[0]); // what this machine dials loopback from
        Assert.All(candidates, static one => Assert.Equal(7100, one.Port));
        Assert.Equal(candidates.Count, candidates.Distinct().Count());
        Assert.DoesNotContain(candidates, static one => IPAddress.Parse(one.Host.Trim('[', ']')).Equals(IPAddress.Any));
    }

    [Fact]
    public void Without_another_member_loopback_comes_last()
    {
        var candidates = MemberAddresses.Candidates([], new Uri("https://0.0.0.0:7100"), bootstrap: null);
        Assert.Equal(candidates.OrderBy(static one => one.IsLoopback), candidates);
    }

    [Fact]
    public void An_address_keeps_scheme_and_port_under_another_host()
    {
        Assert.Equal(new Uri("https://10.0.0.9:7100"), MemberAddresses.Of(new Uri("https://0.0.0.0:7100"), IPAddress.Parse("10.0.0.9")));
        Assert.Equal(new Uri("https://[fd00::1]:7100"), MemberAddresses.Of(new Uri("https://[::]:7100"), IPAddress.Parse("fd00::1")));
    }

    [Theory]
    [InlineData("10.0.0.2:7100", "https://10.0.0.2:7100/")]
    [InlineData("https://host.example:7100", "https://host.example:7100/")]
    [InlineData("[fd00::1]:7100", "https://[fd00::1]:7100/")]
    public void Addresses_are_read_as_people_write_them(string text, string address) => Assert.Equal(new Uri(address), MemberAddress.Parse(text, "--join"));

    [Theory]
    [InlineData("10.0.0.2")]
    [InlineData("http://10.0.0.2:7100")]
    [InlineData("10.0.0.2:7100/path")]
    [InlineData("user@10.0.0.2:7100")]
    [InlineData(":7100")]
    [InlineData("")]
    public void What_is_no_address_is_said_with_its_option(string text) =>
        Assert.Contains("--join: '", Assert.Throws<OptionsException>(() => MemberAddress.Parse(text, "--join")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("7100")]
    [InlineData("host:7100")]
    [InlineData("0.0.0.0")]
    public void What_cannot_be_listened_at_is_said(string text) =>
        Assert.Throws<OptionsException>(() => MemberAddress.ParseListen(text, "--listen"));
}
