using Parallax.Router;

namespace Parallax.UnitTests.Router;

public class RouterOptionsTests
{
    [Fact]
    public void Validate_Defaults_AreValid()
    {
        Assert.Empty(new RouterOptions { Workers = [new Uri("http://127.0.0.1:7101")] }.Validate());
    }

    [Fact]
    public void Validate_EverythingWrong_ListsEverything()
    {
        var errors = new RouterOptions
        {
            Workers = [new Uri("ftp://a"), new Uri("http://b/x"), new Uri("http://c"), new Uri("http://c")],
            Bind = "here",
            Port = -1,
            MaxInFlight = 0,
            MaxQueued = -1,
            MaxBodyBytes = 1,
            RequestLogPath = "",
        }.Validate();

        Assert.Equal(9, errors.Count);
        Assert.Equal(3, errors.Count(static e => e.StartsWith("--worker", StringComparison.Ordinal)));
    }

    [Fact]
    public void Validate_NoWorker_SaysSo()
    {
        Assert.Contains("--worker", Assert.Single(new RouterOptions { Workers = [] }.Validate()), StringComparison.Ordinal);
    }
}
