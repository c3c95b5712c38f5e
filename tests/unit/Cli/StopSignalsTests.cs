using System.Runtime.InteropServices;
using Parallax.Cli;

namespace Parallax.UnitTests.Cli;

public sealed class StopSignalsTests
{
    private readonly List<int> _kills = [];

    [Fact]
    public async Task On_FirstSignal_AsksToStop()
    {
        using var signals = new StopSignals(_kills.Add);
        signals.On(PosixSignal.SIGTERM);

        await signals.WhenAskedAsync();
        Assert.True(signals.Asked.IsCancellationRequested);
        Assert.Empty(_kills);
    }

    [Theory]
    [InlineData(PosixSignal.SIGINT, 1)]
    [InlineData(PosixSignal.SIGQUIT, 1)]
    [InlineData(PosixSignal.SIGTERM, 0)]
    [InlineData(PosixSignal.SIGHUP, 0)]
    public void On_SecondSignal_EndsTheProcessOnlyFromTheKeyboard(PosixSignal second, int kills)
    {
        using var signals = new StopSignals(_kills.Add);
        signals.On(PosixSignal.SIGINT);
        signals.On(second);

        Assert.Equal(Enumerable.Repeat(130, kills), _kills);
    }
}
