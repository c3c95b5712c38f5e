using Parallax.Cli.Tokens;

namespace Parallax.UnitTests.Cli;

public sealed class LifetimeTests
{
    [Theory]
    [InlineData("90s", 90)]
    [InlineData("30m", 1800)]
    [InlineData("12h", 43200)]
    [InlineData("7d", 604800)]
    [InlineData("3650d", 315360000)]
    [InlineData("3651d", null)]
    [InlineData("0d", null)]
    [InlineData("-1d", null)]
    [InlineData("7", null)]
    [InlineData("d", null)]
    [InlineData("", null)]
    [InlineData("1w", null)]
    [InlineData("2147483647d", null)]
    public void Parse_Words_GivesSeconds(string text, int? seconds) => Assert.Equal(seconds, (int?)Lifetime.Parse(text)?.TotalSeconds);
}
