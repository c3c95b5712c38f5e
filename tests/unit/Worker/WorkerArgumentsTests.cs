using Parallax.Contracts.Identifiers;
using Parallax.Hosting;
using Parallax.Hosting.Commands;
using Parallax.Worker.Gpu;

namespace Parallax.UnitTests.Worker;

public sealed class WorkerArgumentsTests : IDisposable
{
    private readonly string _map = Path.GetTempFileName();

    public WorkerArgumentsTests() => File.WriteAllText(
        _map,
        """
        { "workers": [
            { "id": "a", "address": "http://127.0.0.1:7101", "layers": [0, 4] },
            { "id": "b", "address": "http://[::1]:7102", "layers": [4, 8] },
            { "id": "c", "address": "https://127.0.0.1:7103", "layers": [0, 8] },
            { "id": "d", "address": "http://no-such-host.invalid:7104", "layers": [0, 8] } ] }
        """);

    [Theory]
    [InlineData("0-10", 0, 10)]
    [InlineData("4-5", 4, 5)]
    public void ParseLayers_StartAndEnd_IsTheRange(string text, int start, int end) =>
        Assert.Equal(new LayerRange(start, end), WorkerArguments.ParseLayers(text));

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("5-5")]
    [InlineData("6-5")]
    [InlineData("-1-5")]
    [InlineData("1-2-3")]
    [InlineData("a-b")]
    [InlineData("0-99999999999")]
    public void ParseLayers_AnythingElse_IsNull(string text) => Assert.Null(WorkerArguments.ParseLayers(text));

    [Theory]
    [InlineData("4GiB", 4L << 30)]
    [InlineData("1.5 gib", 3L << 29)]
    [InlineData("800MB", 800_000_000)]
    [InlineData("512m", 512L << 20)]
    [InlineData("1000000", 1_000_000)]
    public void ParseSize_NumberAndUnit_IsBytes(string text, long bytes) => Assert.Equal(bytes, SizeText.ParsePositive(text));

    [Theory]
    [InlineData("")]
    [InlineData("GiB")]
    [InlineData("-1GiB")]
    [InlineData("0")]
    [InlineData("99999999999TiB")]
    [InlineData("four")]
    public void ParseSize_AnythingElse_IsNull(string text) => Assert.Null(SizeText.ParsePositive(text));

    [Theory]
    [InlineData("a", "127.0.0.1", 7101, 0, 4)]
    [InlineData("b", "::1", 7102, 4, 8)]
    public void ApplyMap_KnownId_TakesItsLayersAndAddress(string id, string bind, int port, int start, int end)
    {
        var options = WorkerArguments.ApplyMap(new WorkerOptions { Model = "m", Id = id }, _map, ["--id"]);

        Assert.Equal((bind, port, new LayerRange(start, end)), (options.Bind, options.Port, options.Layers));
    }

    [Fact]
    public void ApplyMap_WhatTheMapSaysNamedAgain_NamesAllOfIt()
    {
        var error = Assert.Throws<OptionsException>(() => WorkerArguments.ApplyMap(new WorkerOptions { Id = "a" }, _map, ["--layers", "--port", "--bind"]));

        Assert.Equal(["--layers", "--port", "--bind", "--stages"], error.Errors.Select(static e => e.Split(':')[0]));
    }

    [Theory]
    [InlineData("z", "'a', 'b', 'c', 'd'")]
    [InlineData("c", "http://")]
    [InlineData("d", "no-such-host.invalid")]
    public void ApplyMap_EntryThatCannotBeUsed_SaysWhy(string id, string reason) => Assert.Contains(
        reason,
        Assert.Throws<OptionsException>(() => WorkerArguments.ApplyMap(new WorkerOptions { Id = id }, _map, ["--id"])).Message,
        StringComparison.Ordinal);

    public void Dispose() => File.Delete(_map);
}
