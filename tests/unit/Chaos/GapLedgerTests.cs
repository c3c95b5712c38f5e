using Microsoft.Extensions.Time.Testing;
using Parallax.Cli.Chaos.Traffic;

namespace Parallax.UnitTests.Chaos;

public sealed class GapLedgerTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly GapLedger _ledger;

    public GapLedgerTests() => _ledger = new GapLedger(_clock);

    [Fact]
    public void GapOf_SilenceAcrossAFault_IsItsGap()
    {
        Arrive(900, 950);
        var fault = _ledger.Add(At(1000), TimeSpan.Zero);
        Arrive(950, 1010); // was on its way
        Arrive(1010, 1700);
        Arrive(1700, 1720);
        Assert.Equal(690, _ledger.GapOf(fault)!.Value.TotalMilliseconds);
        Assert.Equal(At(1700), _ledger.EndOf(fault));
    }

    [Fact]
    public void GapOf_SeveralStreams_IsThatOfTheOneThatWaitedLongest()
    {
        var fault = _ledger.Add(At(1000), TimeSpan.Zero);
        Arrive(990, 1500);
        Arrive(950, 1300);
        Assert.Equal(510, _ledger.GapOf(fault)!.Value.TotalMilliseconds);
    }

    [Fact]
    public void GapOf_SilenceLongAfterwards_IsNotItsOwn()
    {
        var fault = _ledger.Add(At(1000), TimeSpan.Zero);
        Arrive(990, 1020);
        Arrive(2001, 9000);
        Assert.Equal(30, _ledger.GapOf(fault)!.Value.TotalMilliseconds);
    }

    [Fact]
    public void GapOf_FaultThatLasts_CountsUntilItsEnd()
    {
        var fault = _ledger.Add(At(1000), TimeSpan.FromSeconds(5));
        Arrive(5900, 7900);
        Assert.Equal(2000, _ledger.GapOf(fault)!.Value.TotalMilliseconds);
    }

    [Fact]
    public void GapOf_NobodyReading_IsNone()
    {
        Arrive(500, 600);
        var fault = _ledger.Add(At(1000), TimeSpan.Zero);
        _ledger.OnArrival(new Arrival(null, At(3000), 1)); // the first of an answer: its client waited for the prompt
        Assert.Null(_ledger.GapOf(fault));
        Assert.Null(_ledger.EndOf(fault));
    }

    private void Arrive(int before, int at) => _ledger.OnArrival(new Arrival(At(before), At(at), 1));

    private long At(int milliseconds) => _clock.TimestampFrequency * milliseconds / 1000;
}
