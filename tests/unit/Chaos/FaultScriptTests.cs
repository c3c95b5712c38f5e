using Parallax.Cli.Chaos.Faults;
using Parallax.Hosting;

namespace Parallax.UnitTests.Chaos;

public sealed class FaultScriptTests
{
    private static readonly string[] Ids = ["w0a", "w1a", "w2a"];

    [Theory]
    [InlineData("at 1 kill middle")]
    [InlineData("at 0.25 kill w2a restart never")]
    [InlineData("at 3 kill tail restart 5s")]
    [InlineData("at 2.5 pause tail 2s")]
    [InlineData("at 5 slow head 3s 80%")]
    [InlineData("at 6 drop head next")]
    [InlineData("at 7 corrupt middle tail 5")]
    [InlineData("at 8 partition head tail 1s out")]
    [InlineData("at 9 partition router w1a 0.5s both")]
    [InlineData("at 9 kill router")]
    public void Parse_Line_ReadsAsItIsWritten(string line) => Assert.Equal(line, FaultScript.Parse(line, "s", Ids, 3).Single().ToString());

    [Fact]
    public void Parse_ShortForms_MeanTheUsual()
    {
        var faults = FaultScript.Parse("at 1 corrupt head next\nat 2 partition head tail 500ms", "s", Ids, 3);
        Assert.Equal(["at 1 corrupt head next 1", "at 2 partition head tail 0.5s both"], faults.Select(static fault => fault.ToString()));
    }

    [Fact]
    public void Parse_CommentsAndDisorder_GivesFaultsInOrderOfTime()
    {
        var faults = FaultScript.Parse("# two\n\nat 2 kill head # later\n  at 1 kill tail\r\n", "s", Ids, 3);
        Assert.Equal(["at 1 kill tail", "at 2 kill head"], faults.Select(static fault => fault.ToString()));
    }

    [Theory]
    [InlineData("kill head", "is no fault; write")]
    [InlineData("at x kill head", "'x' is no time")]
    [InlineData("at -1 kill head", "'-1' is no time")]
    [InlineData("at 1e9 kill head", "is no time")]
    [InlineData("at 99999999 kill head", "is no time")]
    [InlineData("at 1 break head", "'break' is no fault")]
    [InlineData("at 1 kill w9", "'w9' is nobody")]
    [InlineData("at 1 kill next", "'next' is nobody")]
    [InlineData("at 1 kill named", "'named' is nobody")]
    [InlineData("at 1 kill head soon", "says nothing about a kill")]
    [InlineData("at 1 pause head", "a pause needs its time")]
    [InlineData("at 1 pause head 0s", "'0s' is no time")]
    [InlineData("at 1 slow head 2s", "slowing needs")]
    [InlineData("at 1 slow head 2s 100%", "slowing needs")]
    [InlineData("at 1 drop head", "a drop lies between two")]
    [InlineData("at 1 drop router head", "a drop lies between two workers.")]
    [InlineData("at 1 corrupt head next 0", "'0' is no number of chunks")]
    [InlineData("at 1 partition head next 1s sideways", "'sideways' is no way")]
    [InlineData("at 1 partition router router 1s", "lies between two workers, or a router and a worker")]
    [InlineData("# nothing", "names no fault")]
    public void Parse_Nonsense_SaysWhatAndWhere(string line, string problem)
    {
        var error = Assert.Throws<OptionsException>(() => FaultScript.Parse(line, "my.txt", Ids, 3));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("my.txt", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SeveralBadLines_NamesEachByItsNumber()
    {
        var error = Assert.Throws<OptionsException>(() => FaultScript.Parse("at 1 kill head\nat 2 kill nobody\nwhat", "s", Ids, 3));
        Assert.Equal(2, error.Errors.Count);
        Assert.Contains("line 2", error.Errors[0], StringComparison.Ordinal);
        Assert.Contains("line 3", error.Errors[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_MiddleOfTwoStages_IsRefused() =>
        Assert.Contains("no middle", Assert.Throws<OptionsException>(() => FaultScript.Parse("at 1 kill middle", "s", Ids, 2)).Message, StringComparison.Ordinal);
}
