using System.CommandLine;
using Parallax.Hosting;
using Parallax.Hosting.Stages;
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
            Audit = new RouterAudit { Folder = "" },
        }.Validate();

        Assert.Equal(9, errors.Count);
        Assert.Equal(3, errors.Count(static e => e.StartsWith("--worker", StringComparison.Ordinal)));
    }

    [Fact]
    public void Validate_NoWorker_SaysSo()
    {
        Assert.Contains("--worker", Assert.Single(new RouterOptions { Workers = [] }.Validate()), StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_MapOfStages_NeedsNoWorker()
    {
        Assert.Empty(new RouterOptions { Stages = Map }.Validate());
    }

    [Fact]
    public void Validate_WorkersAndMap_SaysToUseOne()
    {
        var error = Assert.Single(new RouterOptions { Workers = [new Uri("http://127.0.0.1:7101")], Stages = Map }.Validate());

        Assert.Contains("--stages", error, StringComparison.Ordinal);
        Assert.Contains("one of the two", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_Stages_ReadsTheMap()
    {
        var file = Path.Combine(Path.GetTempPath(), $"stages-{Guid.NewGuid():n}.json");
        await File.WriteAllTextAsync(
            file,
            """{ "workers": [ { "id": "a", "address": "http://h:1", "layers": [0, 2], "links": "http://l:1" } ] }""",
            TestContext.Current.CancellationToken);
        try
        {
            var options = await ParseAsync("--model", "m", "--stages", file);

            Assert.Empty(options.Workers);
            Assert.Equal(new Uri("http://l:1"), options.Stages!.Find("a").LinkAddress);
            Assert.Empty(options.Validate());
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Command_Workers_MayBeRepeated()
    {
        var options = await ParseAsync("--model", "m", "--worker", "http://a:1", "--worker", "http://b:2");

        Assert.Equal([new Uri("http://a:1"), new Uri("http://b:2")], options.Workers);
        Assert.Null(options.Stages);
    }

    [Fact]
    public async Task Command_NeitherWorkerNorStages_IsForValidateToSay()
    {
        Assert.Single((await ParseAsync("--model", "m")).Validate());
    }

    [Fact]
    public async Task Command_MapThatIsNoFile_SaysSo()
    {
        var error = await Assert.ThrowsAsync<OptionsException>(() => ParseAsync("--model", "m", "--stages", "/nowhere/map.json"));

        Assert.Contains("/nowhere/map.json", error.Message, StringComparison.Ordinal);
    }

    private static StageMap Map => new([new StageMapEntry("a", new Uri("http://h:1"), new(0, 2), new Uri("http://h:1"))]);

    private static async Task<RouterOptions> ParseAsync(params string[] args)
    {
        RouterOptions? parsed = null;
        var command = RouterCommand.Create((_, options, _, _) =>
        {
            parsed = options;
            return Task.FromResult(0);
        });
        await command.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, TestContext.Current.CancellationToken);
        return parsed!;
    }
}
