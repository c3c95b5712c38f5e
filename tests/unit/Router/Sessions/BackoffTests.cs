using Parallax.Router.Sessions;

namespace Parallax.UnitTests.Router.Sessions;

public class BackoffTests
{
    [Theory]
    [InlineData(1, 0.0, 50)]
    [InlineData(1, 0.999999, 100)]
    [InlineData(2, 0.0, 100)]
    [InlineData(5, 0.0, 800)]
    [InlineData(50, 0.0, 2500)]
    [InlineData(int.MaxValue, 0.999999, 5000)]
    public void Pause_Attempt_DoublesUpToTheLongest(int attempt, double scatter, double milliseconds)
    {
        var pause = Backoff.Pause(attempt, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), scatter);

        Assert.Equal(milliseconds, pause.TotalMilliseconds, 1.0);
    }
}
