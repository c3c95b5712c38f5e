using System.Net;
using Parallax.Identity.Membership;

namespace Parallax.UnitTests.Identity;

public sealed class AttemptLimiterTests
{
    private static readonly DateTimeOffset Start = new(2031, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void TryTake_AboveTheLimit_WaitsForTheNextWindow()
    {
        var limiter = new AttemptLimiter(3, Minute);
        var address = IPAddress.Parse("10.0.0.1");

        Assert.Equal([true, true, true, false, false], Enumerable.Range(0, 5).Select(i => limiter.TryTake(address, Start.AddSeconds(i))));
        Assert.False(limiter.IsAllowed(address, Start.AddSeconds(59)));
        Assert.True(limiter.IsAllowed(IPAddress.Parse("10.0.0.2"), Start.AddSeconds(59)));
        Assert.True(limiter.IsAllowed(address, Start.AddSeconds(60)));
        Assert.True(limiter.TryTake(address, Start.AddSeconds(60)));
    }

    [Fact]
    public void TryTake_AddressesOfOneNetwork_CountTogether()
    {
        var limiter = new AttemptLimiter(1, Minute);

        Assert.True(limiter.TryTake(IPAddress.Parse("2001:db8::1"), Start));
        Assert.False(limiter.TryTake(IPAddress.Parse("2001:db8::ffff:2"), Start));
        Assert.True(limiter.TryTake(IPAddress.Parse("2001:db8:0:1::1"), Start));
        Assert.True(limiter.TryTake(IPAddress.Parse("10.0.0.1"), Start));
        Assert.False(limiter.TryTake(IPAddress.Parse("::ffff:10.0.0.1"), Start));
    }

    [Fact]
    public void TryTake_MoreAddressesThanItTellsApart_ShareOneAllowance()
    {
        var limiter = new AttemptLimiter(2, Minute, maxAddresses: 100);
        for (var i = 0; i < 100; i++)
        {
            Assert.True(limiter.TryTake(new IPAddress([10, 0, 0, (byte)i]), Start));
        }

        Assert.Equal([true, true, false, false], Enumerable.Range(0, 4).Select(i => limiter.TryTake(new IPAddress([11, 0, 0, (byte)i]), Start)));
        Assert.False(limiter.IsAllowed(new IPAddress([12, 0, 0, 0]), Start));
        Assert.True(limiter.TryTake(new IPAddress([12, 0, 0, 0]), Start + Minute));
    }
}
