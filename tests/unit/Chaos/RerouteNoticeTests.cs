using Parallax.Cli.Chaos.Report;

namespace Parallax.UnitTests.Chaos;

public sealed class RerouteNoticeTests
{
    [Fact]
    public void Parse_LineOfTheRouter_IsRead()
    {
        const string line = "05:39:26.527 warn: Parallax.Router.Routing.WorkerDirectory[60] 0123-ab: stage lost (its control stream ended (x)); rerouted to 127.0.0.1:1 -> 127.0.0.1:2 after 7.1 + 0.4 ms, 2 stages keep their state";
        Assert.Equal(new RerouteNotice("its control stream ended (x)", 0.4, 2), RerouteNotice.Parse(line));
    }

    [Theory]
    [InlineData("")]
    [InlineData("05:39:26.527 warn: Parallax.Router.Sessions.WorkerLink[21] Lost worker http://127.0.0.1:40541/: gone")]
    public void Parse_OtherLines_AreNot(string line) => Assert.Null(RerouteNotice.Parse(line));
}
