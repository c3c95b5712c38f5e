using Parallax.Swarm.Telemetry;

namespace Parallax.UnitTests.Telemetry;

public sealed class EpisodesTests
{
    [Fact]
    public void Begins_OnceUntilItHasBeenQuiet()
    {
        var episodes = new Episodes(TimeSpan.FromSeconds(10));
        Assert.True(episodes.Begins(TimeSpan.Zero));
        Assert.False(episodes.Begins(TimeSpan.FromSeconds(9)));
        Assert.False(episodes.Begins(TimeSpan.FromSeconds(19)));
        Assert.True(episodes.Begins(TimeSpan.FromSeconds(29.1)));
        Assert.False(episodes.Begins(TimeSpan.FromSeconds(29.1)));
    }
}
