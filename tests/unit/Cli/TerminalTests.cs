using Parallax.Cli.Run;
using Parallax.Cli.Terminal;
using Parallax.Hosting.Http;
using Parallax.Runtime.Execution;

namespace Parallax.UnitTests.Cli;

public sealed class TerminalTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(98L << 20, "98 MiB")]
    [InlineData(2000L << 30, "1.95 TiB")]
    public void Bytes_AnySize_HasThreeDigitsAndAUnit(long bytes, string expected) => Assert.Equal(expected, Figures.Bytes(bytes));

    [Theory]
    [InlineData(12, "12")]
    [InlineData(1500, "1.5 K")]
    [InlineData(7_300_000, "7.3 M")]
    [InlineData(135_000_000, "135 M")]
    [InlineData(8_030_000_000, "8.03 B")]
    public void Count_AnySize_IsAsModelsAreNamed(long count, string expected) => Assert.Equal(expected, Figures.Count(count));

    [Fact]
    public void Report_NoTerminal_GivesALinePerQuarter()
    {
        using var output = new StringWriter { NewLine = "\n" };
        var display = new LoadDisplay(output, isRedirected: true);
        for (var layer = 1; layer <= 8; layer++)
        {
            display.Report(new LoadProgress(layer, 8, layer * 1024));
        }

        Assert.Equal("Loading: 2/8 layers, 2 KiB\nLoading: 4/8 layers, 4 KiB\nLoading: 6/8 layers, 6 KiB\nLoading: 8/8 layers, 8 KiB\n", output.ToString());
    }

    [Fact]
    public void Report_Terminal_RedrawsOneLineAndEndsIt()
    {
        using var output = new StringWriter { NewLine = "\n" };
        var display = new LoadDisplay(output, isRedirected: false);
        display.Report(new LoadProgress(1, 2, 1024));
        display.Report(new LoadProgress(2, 2, 2048));

        var text = output.ToString();
        Assert.Equal(2, text.Split('\r').Length - 1);
        Assert.EndsWith("2/2 layers, 2 KiB   \n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8000", "http://127.0.0.1:8000/")]
    [InlineData("http://0.0.0.0:8000", "http://127.0.0.1:8000/")]
    [InlineData("http://[::]:8000", "http://[::1]:8000/")]
    [InlineData("http://192.168.0.7:8000", "http://192.168.0.7:8000/")]
    public void Of_AnyAddress_CanBeReachedFromHere(string listening, string expected) =>
        Assert.Equal(expected, LocalAddress.Of(new Uri(listening)).ToString());

    [Fact]
    public void Curl_NameWithQuotes_SurvivesTheShell()
    {
        var line = Welcome.Curl(new Uri("http://127.0.0.1:8000"), "it's \"x\"");

        Assert.StartsWith("curl -N http://127.0.0.1:8000/v1/chat/completions ", line, StringComparison.Ordinal);
        Assert.Contains("""{"model": "it\u0027s \u0022x\u0022", "stream": true""", line, StringComparison.Ordinal);
    }
}
