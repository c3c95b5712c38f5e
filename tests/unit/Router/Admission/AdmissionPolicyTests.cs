using Parallax.Router.Admission;

namespace Parallax.UnitTests.Router.Admission;

public class AdmissionPolicyTests
{
    [Theory]
    [InlineData(0, 0, 1, nameof(AdmissionDecision.Admit))]
    [InlineData(3, 0, 1, nameof(AdmissionDecision.Admit))]
    [InlineData(3, 0, 2, nameof(AdmissionDecision.Queue))]
    [InlineData(0, 1, 1, nameof(AdmissionDecision.Queue))]
    [InlineData(4, 2, 1, nameof(AdmissionDecision.Refuse))]
    public void Decide_Load_Decision(int inFlight, int queued, int sessions, string decision)
    {
        Assert.Equal(decision, AdmissionPolicy.Decide(new AdmissionLoad(inFlight, queued, queued), sessions, maxInFlight: 4, maxQueued: 2).ToString());
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData(100.0, 1)]
    [InlineData(0.5, 6)]
    [InlineData(0.001, 60)]
    [InlineData(0.0, 60)]
    public void RetryAfter_Rate_IsTheTimeUntilThereIsRoom(double? rate, int seconds)
    {
        // 4 run, 2 wait, 1 wants in: 3 must end before its turn.
        Assert.Equal(seconds, AdmissionPolicy.RetryAfter(new AdmissionLoad(4, 2, 2), 1, 4, rate).TotalSeconds);
    }

    [Fact]
    public void Rate_NothingEndsAnyMore_Falls()
    {
        var meter = new ThroughputMeter();
        Assert.Null(meter.Rate(0, 1000));
        for (var i = 0; i <= 100; i++)
        {
            meter.OnEnded(i * 100);
        }

        Assert.Equal(10, meter.Rate(10_000, 1000)!.Value, 1e-9);
        Assert.InRange(meter.Rate(70_000, 1000)!.Value, 0.5, 1.5);
    }
}
