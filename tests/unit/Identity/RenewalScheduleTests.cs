using CsCheck;
using Parallax.Identity;
using Parallax.Identity.Membership;

namespace Parallax.UnitTests.Identity;

public sealed class RenewalScheduleTests
{
    private static readonly DateTimeOffset Start = new(2031, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly MemberIdentity Member = new(default, default, MemberRoles.Worker, Start, Start.AddHours(24));

    [Theory]
    [InlineData(0, 0.0, 10.8)]
    [InlineData(0, 1.0, 13.2)]
    [InlineData(6, 0.5, 6.0)]
    [InlineData(12, 0.5, 0.0)]
    [InlineData(30, 0.5, 0.0)]
    public void Wait_NoFailures_EndsAboutTheHalfOfTheLife(double hours, double scatter, double waits) =>
        Assert.Equal(waits, RenewalSchedule.Wait(Member, 0, Start.AddHours(hours), scatter).TotalHours, 6);

    [Fact]
    public void Wait_AfterFailures_DoublesUpToTenMinutes() =>
        Gen.Select(Gen.Int[1, 1000], Gen.Double[0, 1]).Sample((failures, scatter) =>
        {
            var wait = RenewalSchedule.Wait(Member, failures, Start.AddHours(20), scatter);
            var middle = Math.Min(600, 5 * Math.ScaleB(1, Math.Min(failures - 1, 20)));
            Assert.InRange(wait.TotalSeconds, middle * 0.74, middle * 1.26);
        });
}
