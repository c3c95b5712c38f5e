using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.ModelFiles;
using Parallax.ModelFiles.Fetching;
using Parallax.ModelFiles.Hub;
using Parallax.Runtime.Models;
using Parallax.Testing.Models;

namespace Parallax.IntegrationTests.ModelFiles;

/// <summary>Models come from a hub over HTTP.</summary>
public sealed class HubTests : IDisposable
{
    private static readonly HubName Name = new("owner", "name", null);
    private readonly ModelFolder _folder = new();
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly TinyModel _tiny = new() { Architecture = "qwen3", Hidden = 64, Intermediate = 256, Layers = 3, Vocabulary = 500 };

    private Uri? _address;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DownloadAsync_Folder_IsTheModelUnderItsName()
    {
        await using var hub = await StartAsync();
        hub.Files["README.md"] = new byte[100];
        hub.Files["pytorch_model.bin"] = new byte[100];
        var reports = new List<FetchProgress>();

        var path = await Client(hub).DownloadAsync(Name, _folder.Path, new Progress(reports), Token);

        Assert.Equal(["config.json", "model.safetensors"], Directory.EnumerateFiles(path).Select(Path.GetFileName).Order());
        using var model = ModelSource.Open(path);
        Assert.Equal("owner/name", model.DisplayName);
        Assert.Equal(hub.BytesSent, reports[^1].BytesDone);
        Assert.Equal(hub.BytesSent, reports[^1].BytesTotal);

        // A second time nothing is sent; and without a hub it is still there.
        var sent = hub.BytesSent;
        Assert.Equal(path, await Client(hub).DownloadAsync(Name, _folder.Path, null, Token));
        Assert.Equal(sent, hub.BytesSent);
        await hub.DisposeAsync();
        Assert.Equal(path, await Client(hub).DownloadAsync(Name, _folder.Path, null, Token));
    }

    [Fact]
    public async Task DownloadAsync_CutAgainAndAgain_GoesOn()
    {
        await using var hub = await StartAsync();
        var length = hub.Files["model.safetensors"].Length;
        hub.CutAfter = length / 5;

        var path = await Client(hub).DownloadAsync(Name, _folder.Path, null, Token);

        Assert.Equal(hub.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(path, "model.safetensors")));
        Assert.InRange(hub.BytesSent, length, length * 2);
    }

    [Fact]
    public async Task DownloadAsync_GivenUp_ASecondCallGoesOn_AlsoWhereTheServerDoesNotResume()
    {
        await using var hub = await StartAsync();
        hub.CutAfter = hub.Files["model.safetensors"].Length / 2;
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Token))
        {
            var progress = new Progress([]) { OnReport = report => { if (report.BytesDone > hub.CutAfter / 2) { stop.Cancel(); } } };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Client(hub).DownloadAsync(Name, _folder.Path, progress, stop.Token));
        }

        Assert.NotEmpty(Directory.EnumerateFiles(_folder.Path, "*.part", SearchOption.AllDirectories));
        hub.CutAfter = null;
        hub.Resumes = false;
        var path = await Client(hub).DownloadAsync(Name, _folder.Path, null, Token);
        Assert.Equal(hub.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(path, "model.safetensors")));
    }

    [Fact]
    public async Task DownloadAsync_OtherContentsThanTold_AreDeleted()
    {
        await using var hub = await StartAsync();
        hub.Lie = "model.safetensors";

        await RefusedAsync(hub, Name, "SHA-256");

        Assert.DoesNotContain(Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories), static path => path.Contains("safetensors", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DownloadAsync_TroubleThatPasses_IsTriedAgain()
    {
        await using var hub = await StartAsync();
        hub.Trouble = (HttpStatusCode.ServiceUnavailable, 2);

        Assert.True(Directory.Exists(await Client(hub).DownloadAsync(Name, _folder.Path, null, Token)));
    }

    [Fact]
    public async Task DownloadAsync_Token_GoesToTheHubOnly()
    {
        await using var hub = await StartAsync();
        hub.Token = "secret";
        await RefusedAsync(hub, Name, "PARALLAX_HUB_TOKEN");

        Assert.True(Directory.Exists(await Client(hub, "secret").DownloadAsync(Name, _folder.Path, null, Token)));
        Assert.False(hub.TokenLeaked);
    }

    [Fact]
    public async Task DownloadAsync_GgufOrNothing_IsNamedOrRefused()
    {
        await using var hub = await FakeHub.StartAsync();
        hub.Files["tiny.Q8.gguf"] = new TinyModel { Architecture = "llama" }.Gguf().Build();
        await RefusedAsync(hub, Name, "owner/name/tiny.Q8.gguf");
        await RefusedAsync(hub, new HubName("owner", "other", null), "has no");

        var path = await Client(hub).DownloadAsync(new HubName("owner", "name", "tiny.Q8.gguf"), _folder.Path, null, Token);
        using var model = ModelSource.Open(path);
        Assert.Equal("tiny.Q8", model.DisplayName);
    }

    [Theory]
    [InlineData("owner/name", true)]
    [InlineData("owner/name/file.gguf", true)]
    [InlineData("owner/name/file.bin", false)]
    [InlineData("owner/file.gguf", false)]
    [InlineData("name", false)]
    [InlineData("../name", false)]
    [InlineData("/owner/name", false)]
    [InlineData("own--er/name", false)]
    [InlineData("a/b/c/d", false)]
    [InlineData("owner/na me", false)]
    public void TryParse_Name_IsTold(string text, bool expected) => Assert.Equal(expected, HubName.TryParse(text, out _));

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task RefusedAsync(FakeHub hub, HubName name, string mentions)
    {
        var problem = await Assert.ThrowsAsync<ModelFilesException>(() => Client(hub).DownloadAsync(name, _folder.Path, null, Token));
        Assert.Equal(ModelFilesProblem.Hub, problem.Problem);
        Assert.Contains(mentions, problem.Message, StringComparison.Ordinal);
    }

    private HubClient Client(FakeHub hub, string? token = null)
    {
        _address ??= hub.Address; // also after it has stopped
        return new HubClient(
            _http, new HubOptions { Address = _address, Token = token, FirstPause = TimeSpan.FromMilliseconds(10) }, TimeProvider.System, NullLogger<HubClient>.Instance);
    }

    private async Task<FakeHub> StartAsync()
    {
        var hub = await FakeHub.StartAsync();
        hub.Files["config.json"] = System.Text.Encoding.UTF8.GetBytes(_tiny.Config().ToJsonString());
        hub.Files["model.safetensors"] = _tiny.Safetensors().Build();
        return hub;
    }

    private sealed class Progress(List<FetchProgress> reports) : IProgress<FetchProgress>
    {
        public Action<FetchProgress>? OnReport { get; init; }

        public void Report(FetchProgress value)
        {
            reports.Add(value);
            OnReport?.Invoke(value);
        }
    }
}
