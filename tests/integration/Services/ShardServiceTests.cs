using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Parallax.Worker.Gpu;
using Parallax.Worker.Gpu.Shards;
using FinishReason = Parallax.Contracts.V1.FinishReason;
using NumericClass = Parallax.Contracts.V1.NumericClass;

namespace Parallax.IntegrationTests.Services;

/// <summary>The calls about shards, with the demo model: whole ones compute, parts are scripted.</summary>
public sealed class ShardServiceTests : IAsyncLifetime
{
    private readonly ScriptedEngine _script = new() { Answer = static _ => [.. Enumerable.Repeat((int)'a', 40)] };
    private ShardHost _host = null!;
    private WebApplication _app = null!;
    private GrpcChannel _channel = null!;
    private Contracts.V1.Worker.WorkerClient _client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static LoadShardRequest Whole => new() { ModelPath = DemoModelFixture.ModelPath, KvTokens = 512, ContextLimit = 256 };

    public async ValueTask InitializeAsync()
    {
        var options = new WorkerOptions { NoModel = true, Id = "me", Port = 0, Threads = 1, DrainTime = TimeSpan.FromMinutes(5) };
        var samplers = new TokenSamplerFactory();
        _host = new ShardHost(options, new MemoryLedger(256L << 20), null, loaded => loaded.IsWhole
            ? new Executor(loaded.Shard, samplers, loaded.Limits)
            : new PartEngine(loaded, _script));
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime().AddWorker(options, _host);
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.MapWorker();
        await _app.StartAsync(Token);
        _channel = GrpcChannel.ForAddress(_app.ListeningAddress());
        _client = new Contracts.V1.Worker.WorkerClient(_channel);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var shard in _host.Shards)
        {
            shard.AbortAll("the test is over"); // nothing to drain for
        }

        _channel.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task LoadShard_Whole_TellsItsProgressServesAndIsAnnounced()
    {
        await using var control = await ShardControl.ConnectAsync(_client);
        var steps = await LoadAsync(Whole);

        var served = steps[^1].Serving;
        Assert.All(steps.SkipLast(1), static step => Assert.Null(step.Serving));
        Assert.Equal((8, 8), (steps[^1].LayersLoaded, steps[^1].LayersTotal));
        Assert.True(steps[^1].WeightBytes > 10 << 20);
        Assert.Equal(("s1", "demo", 0, 8, 8, 256), (served.ShardId, served.Name, served.LayerStart, served.LayerEnd, served.LayerCount, served.ContextLimit));
        Assert.Equal(served, Assert.Single((await control.ReadServingAsync()).Models));
        var info = await _client.GetInfoAsync(new GetInfoRequest(), cancellationToken: Token);
        Assert.Equal(served, Assert.Single(info.Models));
        Assert.Equal("me", info.WorkerId);

        var (session, answer) = await control.OpenAsync();
        Assert.Null(answer.Refused);
        await control.ReadTokensAsync(session, 1);
        var list = await ListAsync();
        var shard = Assert.Single(list.Shards);
        Assert.Equal((ShardState.Serving, 1), (shard.State, shard.Sessions));
        Assert.InRange(list.MemoryUsedBytes, shard.WeightBytes + shard.KvBytes, list.MemoryLimitBytes);
    }

    [Fact]
    public async Task LoadShard_Replacing_LetsTheOldOnesSessionEndWhileTheNewServes()
    {
        await LoadAsync(Whole);
        await using var control = await ShardControl.ConnectAsync(_client);
        var (old, _) = await control.OpenAsync(static open => open.Sampling.MaxTokens = 64);
        await control.ReadTokensAsync(old, 32); // it stands still there until it is acknowledged

        var request = Whole;
        request.Replaces = "s1";
        await LoadAsync(request);

        Assert.Equal("s2", Assert.Single((await control.ReadServingAsync()).Models).ShardId);
        Assert.Equal([ShardState.Draining, ShardState.Serving], (await ListAsync()).Shards.Select(static shard => shard.State));
        var (young, answer) = await control.OpenAsync(static open => open.Sampling.MaxTokens = 4);
        Assert.Null(answer.Refused);
        Assert.Equal(FinishReason.Length, (await control.ReadFinishedAsync(young)).Reason);

        await control.AcknowledgeAsync(old, 32);
        Assert.Equal((FinishReason.Length, 64), await EndAsync(control, old));
        ListShardsReply list;
        while ((list = await ListAsync()).Shards.Count > 1) // the old one frees its memory
        {
            await Task.Delay(5, Token);
        }

        Assert.Equal("s2", Assert.Single(list.Shards).Model.ShardId);
    }

    [Fact]
    public async Task UnloadShard_SessionThatRunsOn_EndsWithAnErrorThatNamesTheShard()
    {
        await LoadAsync(Whole);
        await using var control = await ShardControl.ConnectAsync(_client);
        var (session, _) = await control.OpenAsync();
        await control.ReadTokensAsync(session, 1);

        var reply = await _client.UnloadShardAsync(new UnloadShardRequest { ShardId = "s1" }, cancellationToken: Token);

        Assert.Equal(1, reply.SessionsCancelled);
        var finished = await control.ReadFinishedAsync(session);
        Assert.Equal(FinishReason.Error, finished.Reason);
        Assert.Contains("shard s1 was unloaded", finished.Error, StringComparison.Ordinal);
        Assert.Empty((await control.ReadServingAsync()).Models);
        var (list, stats) = (await ListAsync(), await _client.GetStatsAsync(new GetStatsRequest(), cancellationToken: Token));
        Assert.Empty(list.Shards);
        Assert.Equal(0, list.MemoryUsedBytes);
        Assert.True(stats.Steps > 0, "counters outlive their shard");
        Assert.Equal(RefusalCode.WrongModel, (await control.OpenAsync()).Answer.Refused.Code);
    }

    [Fact]
    public async Task TryServeAgain_ShardThatDrains_TakesSessionsAgain_AndThoseThatRunGoOn()
    {
        await LoadAsync(Whole);
        await using var control = await ShardControl.ConnectAsync(_client);
        var (running, _) = await control.OpenAsync();
        await control.ReadTokensAsync(running, 32); // all that it may without a word
        var unload = _host.UnloadAsync("s1", TimeSpan.FromMinutes(5));
        var ending = await control.ReadServingAsync();
        Assert.Empty(ending.Models);
        Assert.Equal("s1", Assert.Single(ending.Ending).ShardId);

        Assert.True(_host.TryServeAgain("s1"));

        Assert.Equal(0, await unload);
        Assert.Equal("s1", Assert.Single((await control.ReadServingAsync()).Models).ShardId);
        var (second, answer) = await control.OpenAsync();
        Assert.NotNull(answer.Accepted);
        await control.ReadTokensAsync(second, 2);
        await control.AcknowledgeAsync(running, 32);
        await control.ReadTokensAsync(running, 40);
        Assert.False(_host.TryServeAgain("s1")); // it does not drain
        Assert.False(_host.TryServeAgain("s9"));
    }

    [Fact]
    public async Task HurryUnload_SessionsThatRunOn_AreEnded_AndThereIsNoWayBack()
    {
        await LoadAsync(Whole);
        await using var control = await ShardControl.ConnectAsync(_client);
        var (running, _) = await control.OpenAsync();
        await control.ReadTokensAsync(running, 2);
        var unload = _host.UnloadAsync("s1", TimeSpan.FromMinutes(5));

        _host.HurryUnload("s1");

        var finished = await control.ReadFinishedAsync(running);
        Assert.Equal((FinishReason.Cancelled, ""), (finished.Reason, finished.Error)); // routers take it to other workers
        Assert.Equal(1, await unload);
        Assert.False(_host.TryServeAgain("s1"));
        Assert.Empty(_host.Shards);
    }

    [Fact]
    public async Task LoadShard_CancelledByItsCaller_LeavesNothing()
    {
        using var call = _client.LoadShard(Whole, cancellationToken: Token);
        Assert.True(await call.ResponseStream.MoveNext(Token));
        call.Dispose();

        // The call's end reaches the loading thread between two layers, or the load was done before.
        while ((await ListAsync()).Shards is [{ State: ShardState.Loading }])
        {
            await Task.Delay(5, Token);
        }

        Assert.All((await ListAsync()).Shards, static shard => Assert.Equal(ShardState.Serving, shard.State));
    }

    [Theory]
    [InlineData("", 0, 0, 0, "", StatusCode.InvalidArgument, "name a model folder")]
    [InlineData("http://example.org/model.gguf", 0, 0, 0, "", StatusCode.FailedPrecondition, "no such folder or file")]
    [InlineData("/dev/zero", 0, 0, 0, "", StatusCode.InvalidArgument, "no folder and no .gguf")]
    [InlineData("\0", 0, 0, 0, "", StatusCode.InvalidArgument, "no folder")]
    [InlineData("/", 0, 0, 0, "", StatusCode.FailedPrecondition, "config.json")]
    [InlineData("demo", 0, 9, 0, "", StatusCode.InvalidArgument, "which has 8")]
    [InlineData("demo", int.MinValue, int.MaxValue, 0, "", StatusCode.InvalidArgument, "no range of layers")]
    [InlineData("demo", 5, 5, 0, "", StatusCode.InvalidArgument, "[5,5)")]
    [InlineData("demo", 0, 0, 1 << 30, "", StatusCode.ResourceExhausted, "MiB of 256.0 MiB are free")]
    [InlineData("demo", 0, 0, int.MaxValue, "", StatusCode.InvalidArgument, "KV room")]
    [InlineData("demo", 0, 0, -1, "", StatusCode.InvalidArgument, "KV room")]
    [InlineData("demo", 0, 0, 0, "s9", StatusCode.NotFound, "'s9'")]
    public async Task LoadShard_HostileOrWrong_IsRefusedAndHoldsNothing(
        string path, int start, int end, int kvTokens, string replaces, StatusCode code, string reason)
    {
        var request = new LoadShardRequest
        {
            ModelPath = path == "demo" ? DemoModelFixture.ModelPath : path,
            LayerStart = start,
            LayerEnd = end,
            KvTokens = kvTokens,
            Replaces = replaces,
        };

        var error = await Assert.ThrowsAsync<RpcException>(() => LoadAsync(request));

        Assert.Equal(code, error.StatusCode);
        Assert.Contains(reason, error.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(0, (await ListAsync()).MemoryUsedBytes);
    }

    [Theory]
    [InlineData("s7", 0, StatusCode.NotFound)]
    [InlineData("", 0, StatusCode.NotFound)]
    [InlineData("s1", -1, StatusCode.InvalidArgument)]
    [InlineData("s1", long.MaxValue, StatusCode.InvalidArgument)]
    public async Task UnloadShard_Wrong_IsRefused(string id, long drain, StatusCode code) => Assert.Equal(
        code,
        (await Assert.ThrowsAsync<RpcException>(async () =>
            await _client.UnloadShardAsync(new UnloadShardRequest { ShardId = id, DrainMs = drain }, cancellationToken: Token))).StatusCode);

    [Fact]
    public async Task Open_StageOfAPath_ReachesThePartWithItsPathAndEndsAtTheRouter()
    {
        await LoadAsync(Whole);
        await LoadPartAsync(4, 8);
        await using var control = await ShardControl.ConnectAsync(_client);

        var (session, answer) = await control.OpenAsync(static open => AddPath(open, stage: 1));

        Assert.Null(answer.Refused);
        await control.AcknowledgeAsync(session, 40);
        Assert.Equal(FinishReason.Length, (await control.ReadFinishedAsync(session)).Reason);
        Assert.True(_script.Opened.TryPeek(out var opened));
        Assert.Equal(("other", new Uri("http://10.0.0.2:7101"), true), (opened.Path!.Next.WorkerId, opened.Path.Next.Address, opened.Path.IsTail));
        Assert.Equal(12, opened.Arrival);
    }

    [Theory]
    [InlineData("range", RefusalCode.WrongModel, "layers [4,7); this worker serves 'demo' layers [4,8) of 8")]
    [InlineData("none", RefusalCode.WrongModel, "all layers; this worker serves 'demo' layers [4,8) of 8")]
    [InlineData("hash", RefusalCode.WrongModel, "weights ffff; this worker serves")]
    [InlineData("class", RefusalCode.WrongModel, "class cpu-v99-f32-ffff; this worker serves")]
    [InlineData("stage", RefusalCode.Invalid, "Stage 2 of a path of 2 stages")]
    [InlineData("gap", RefusalCode.Invalid, "do not follow one another")]
    [InlineData("address", RefusalCode.Invalid, "is not an address")]
    [InlineData("twice", RefusalCode.Invalid, "a worker stands twice")]
    [InlineData("id", RefusalCode.Invalid, "it takes this worker for 'somebody', and it is 'me'")]
    public async Task Open_PathThatDoesNotFit_IsRefusedWithWhatIsServed(string fault, RefusalCode code, string reason)
    {
        await LoadPartAsync(4, 8);
        await using var control = await ShardControl.ConnectAsync(_client);

        var (_, answer) = await control.OpenAsync(open =>
        {
            AddPath(open, stage: 1);
            switch (fault)
            {
                case "range":
                    open.Path[1].LayerEnd = 7;
                    break;
                case "none":
                    open.Path.Clear();
                    break;
                case "hash":
                    open.WeightsHash = "ffff";
                    break;
                case "class":
                    open.NumericClass = new NumericClass { ArithmeticVersion = 99, Backend = "cpu", Residual = NumericClass.Types.Residual.F32, WeightsHash = "ffff" };
                    break;
                case "stage":
                    open.Stage = 2;
                    break;
                case "gap":
                    open.Path[0].LayerEnd = 3;
                    break;
                case "address":
                    open.Path[0].Address = "file:///etc/passwd";
                    break;
                case "twice":
                    open.Path[0].Worker = "me";
                    break;
                default:
                    open.Path[1].Worker = "somebody";
                    break;
            }
        });

        Assert.Equal(code, answer.Refused.Code);
        Assert.Contains(reason, answer.Refused.Message, StringComparison.Ordinal);
        Assert.Empty(_script.Opened);
    }

    private static void AddPath(Open open, int stage)
    {
        open.Path.Add(new Stage { Worker = "other", Address = "http://10.0.0.2:7101", LayerStart = 0, LayerEnd = 4 });
        open.Path.Add(new Stage { Worker = "me", Address = "http://10.0.0.3:7101", LayerStart = 4, LayerEnd = 8 });
        open.Stage = stage;
        open.Arrival = 12;
    }

    private static async Task<(FinishReason Reason, int Generated)> EndAsync(ShardControl control, SessionRef session)
    {
        var finished = await control.ReadFinishedAsync(session);
        return (finished.Reason, finished.GeneratedTokens);
    }

    private async Task LoadPartAsync(int start, int end)
    {
        var request = Whole;
        (request.LayerStart, request.LayerEnd) = (start, end);
        await LoadAsync(request);
    }

    private async Task<List<LoadShardProgress>> LoadAsync(LoadShardRequest request)
    {
        using var call = _client.LoadShard(request, cancellationToken: Token);
        var steps = new List<LoadShardProgress>();
        await foreach (var step in call.ResponseStream.ReadAllAsync(Token))
        {
            steps.Add(step);
        }

        return steps;
    }

    private async Task<ListShardsReply> ListAsync() => await _client.ListShardsAsync(new ListShardsRequest(), cancellationToken: Token);
}
