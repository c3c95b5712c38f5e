using Parallax.Cli.Chat;

namespace Parallax.UnitTests.Cli;

public sealed class AnswerBreaksTests
{
    [Fact]
    public void TryBreak_NoAnswerRuns_LeavesTheSignalAlone()
    {
        using var breaks = new AnswerBreaks(listen: false);

        Assert.False(breaks.TryBreak());
        breaks.Begin();
        breaks.End();
        Assert.False(breaks.TryBreak());
    }

    [Fact]
    public async Task TryBreak_AnswerRuns_CancelsItOnce()
    {
        using var breaks = new AnswerBreaks(listen: false);
        var token = breaks.Begin();
        var broken = new TaskCompletionSource();
        await using var registration = token.Register(broken.SetResult);

        Assert.True(breaks.TryBreak());
        await broken.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(breaks.TryBreak()); // a second Ctrl-C ends the program
        breaks.End();
        Assert.False(breaks.Begin().IsCancellationRequested);
    }
}
