using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Google.Protobuf;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Parallax.Bus;
using Parallax.Bus.Commands;
using Parallax.Contracts.Messages;
using Parallax.Contracts.V1;
using Parallax.EventStore.Memory;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;
using Parallax.IntegrationTests.Scheduler;
using Parallax.Placement.Records;
using Parallax.Scheduler.Commands;
using Parallax.Scheduler.Workflow;
using static Parallax.UnitTests.Scheduler.Swarms;

namespace Parallax.IntegrationTests.Bus;

/// <summary>Operators' commands from the bus in memory to a real scheduler, whose swarm the test moves.</summary>
public sealed class CommandTests : IAsyncLifetime
{
    private static readonly TimeSpan Ample = TimeSpan.FromMinutes(5);

    private readonly InMemoryEventStore _store = new(TimeProvider.System);
    private readonly FakeSwarm _swarm = new();
    private BusScheduler? _scheduler;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private CommandClient Commands => new(_scheduler!.Services.GetRequiredService<IBus>(), BusOptions.Memory, TimeProvider.System);

    public async ValueTask InitializeAsync() => _scheduler = await StartAsync("a");

    public async ValueTask DisposeAsync()
    {
        if (_scheduler is not null)
        {
            await _scheduler.DisposeAsync();
        }

        await _store.DisposeAsync();
    }

    [Fact]
    public async Task Deploy_CompletesWhenItsShardsServe()
    {
        _swarm.Be(Record(1, 4), Record(2, 4));
        await Commands.SubmitAsync("d", CommandKinds.Deploy, Deploy("m", 8), "ada", Ample, Token);
        var applied = await ReachesAsync("d", CommandStates.Applied);
        Assert.Equal(("m", "ada", "a"), (applied.Subject, applied.Issuer, applied.Scheduler));
        Assert.True(applied.PlanVersion > 0);

        _swarm.Be(Record(1, 4, Shard("m", 0, 4, 8)), Record(2, 4));
        Assert.Equal(CommandStates.Applied, (await Commands.GetAsync("d", Token))!.State);
        _swarm.Be(Record(1, 4, Shard("m", 0, 4, 8)), Record(2, 4, Shard("m", 4, 8, 8)));

        var completed = await ReachesAsync("d", CommandStates.Completed);
        Assert.Equal(
            [CommandStates.Submitted, CommandStates.Taken, CommandStates.Applied, CommandStates.Completed], completed.History.Select(static step => step.State));
    }

    [Fact]
    public async Task Drain_CompletesWhenTheWorkerHoldsNothing_AndIsFoundByTheBeginningOfItsId()
    {
        var drained = new string('f', 40);
        await ServeAsync(Worker(drained, Shard("m", 0, 4, 4)), Record(2, 4));
        await Commands.SubmitAsync("x", CommandKinds.Drain, new WorkerRequest { WorkerId = "ffff" }, "ada", Ample, Token);
        Assert.Equal(drained, (await ReachesAsync("x", CommandStates.Applied)).Subject);

        // The other serves, and the drained one still has a session to end.
        var leaving = Worker(drained, Shard("m", 0, 4, 4, ShardState.Draining));
        leaving.Shards[0].Sessions = 1;
        _swarm.Be(leaving, Record(2, 4, Shard("m", 0, 4, 4)));
        await Patient.UntilAsync(() => _scheduler!.Status.State.Placed?.Plan.Assignments().All(one => one.Node == Id(2)) == true);
        Assert.Equal(CommandStates.Applied, (await Commands.GetAsync("x", Token))!.State);

        _swarm.Be(Worker(drained), Record(2, 4, Shard("m", 0, 4, 4)));
        await ReachesAsync("x", CommandStates.Completed);
    }

    [Fact]
    public async Task Drain_ThatDoesNotComeToAnEnd_TimesOutAndSaysWhy()
    {
        await ServeAsync(Record(1, 4, Shard("m", 0, 4, 4)), Record(2, 4));
        await Commands.SubmitAsync("x", CommandKinds.Drain, new WorkerRequest { WorkerId = Id(1) }, "ada", TimeSpan.FromSeconds(8), Token);
        var end = await ReachesAsync("x", CommandStates.TimedOut);
        Assert.Contains(Id(1), end.Reason, StringComparison.Ordinal);
        Assert.True(_scheduler!.Status.State.Draining.ContainsKey(Id(1)), "what is in the plan stays there");
    }

    [Fact]
    public async Task Refusals_AreRejectedWithTheReason()
    {
        await LeadsAsync();
        // One after the other: of several that are on their way at once it is open which is listed first.
        await Commands.SubmitAsync("1", CommandKinds.Retire, new RetireRequest { Model = "nowhere" }, "ada", Ample, Token);
        Assert.Contains("not deployed", (await ReachesAsync("1", CommandStates.Rejected)).Reason, StringComparison.Ordinal);
        await Commands.SubmitAsync("2", CommandKinds.Drain, new WorkerRequest { WorkerId = Id(9) }, "ada", Ample, Token);
        Assert.Contains("not in the swarm", (await ReachesAsync("2", CommandStates.Rejected)).Reason, StringComparison.Ordinal);
        await Commands.SubmitAsync("3", "dance", new RebalanceRequest(), "ada", Ample, Token);
        Assert.Contains("no kind of command", (await ReachesAsync("3", CommandStates.Rejected)).Reason, StringComparison.Ordinal);
        await Commands.SubmitAsync("4", CommandKinds.Deploy, new DeployRequest(), "ada", Ample, Token);
        Assert.Contains("model is missing", (await ReachesAsync("4", CommandStates.Rejected)).Reason, StringComparison.Ordinal);
        await Patient.UntilAsync(async () => (await Commands.ListAsync(10, Token)).Count == 4); // a command is listed once its first state is written
        Assert.Equal(["4", "3", "2", "1"], (await Commands.ListAsync(10, Token)).Select(static command => command.Id));
        Assert.Equal(["4", "3"], (await Commands.ListAsync(2, Token)).Select(static command => command.Id));
        Assert.Null(await Commands.GetAsync("5", Token));
    }

    [Fact]
    public async Task OverBeforeTaken_Expires()
    {
        await LeadsAsync();
        await Commands.SubmitAsync("x", CommandKinds.Rebalance, new RebalanceRequest(), "ada", TimeSpan.FromSeconds(-1), Token);
        Assert.Equal(0, (await ReachesAsync("x", CommandStates.Expired)).PlanVersion);
    }

    [Fact]
    public async Task Repeated_IsOneCommand_AndAnotherUnderItsIdIsNone()
    {
        await LeadsAsync();
        for (var i = 0; i < 3; i++)
        {
            await Commands.SubmitAsync("x", CommandKinds.Rebalance, new RebalanceRequest(), "ada", Ample, Token);
        }

        await Commands.SubmitAsync("x", CommandKinds.Retire, new RetireRequest { Model = "m" }, "eve", Ample, Token);
        await Commands.SubmitAsync("y", CommandKinds.Rebalance, new RebalanceRequest(), "ada", Ample, Token);
        await ReachesAsync("y", CommandStates.Completed);
        var one = await ReachesAsync("x", CommandStates.Completed);
        Assert.Equal(CommandKinds.Rebalance, one.Kind);
        Assert.Equal(4, one.History.Count);
        Assert.Equal(2, (await Commands.ListAsync(10, Token)).Count);
    }

    [Fact]
    public async Task SchedulerLostBetweenTakingAndApplying_TheNextOneGoesOn()
    {
        // Taken by one that is gone, and no effect yet.
        var commands = new CommandStore(_store);
        await WriteTakenAsync(commands, "x", new RebalanceRequest());
        await LeadsAsync();
        var done = await ReachesAsync("x", CommandStates.Completed);
        Assert.Equal("a", done.Scheduler);
        Assert.Equal(["gone", "a"], done.History.Where(static step => step.State == CommandStates.Taken).Select(static step => step.Text.Split(' ')[1]));
    }

    [Fact]
    public async Task SchedulerLostBetweenTheEffectAndSayingSo_TheEffectIsOnce()
    {
        await ServeAsync(Record(1, 4, Shard("m", 0, 4, 4)), Record(2, 4));
        var loop = _scheduler!.Services.GetRequiredService<SchedulerLoop>();
        var request = new WorkerRequest { WorkerId = Id(1) };
        var drain = CommandRequests.Read("x", CommandKinds.Drain, request.ToByteArray(), out _)!;
        var outcome = await loop.ExecuteAsync(drain, Token); // the effect of a scheduler that dies right after it
        await _scheduler.DisposeAsync();
        var commands = new CommandStore(_store);
        await WriteTakenAsync(commands, "x", request, CommandKinds.Drain);

        _scheduler = await StartAsync("b");
        _swarm.Be(Record(1, 4), Record(2, 4, Shard("m", 0, 4, 4)));
        var done = await ReachesAsync("x", CommandStates.Completed);
        Assert.Equal(outcome.State.Commands.ById["x"].Version, done.PlanVersion);
        var drains = 0;
        await foreach (var stored in _store.ReadAsync(PlanStream.Name, 1, Token))
        {
            drains += stored.Type == "WorkerDrained" ? 1 : 0;
        }

        Assert.Equal(1, drains);
    }

    [Fact]
    public async Task OverHttp_SubmitStatusListAndErrors()
    {
        await LeadsAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        builder.Services.AddSharedBus(_scheduler!.Services).AddCommandClient();
        builder.Listen(IPAddress.Loopback, 0, Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1);
        await using var app = builder.Build();
        app.MapCommands(static context => ValueTask.FromResult(context.Request.Headers.Authorization == "Bearer admin" ? "key-1" : null));
        await app.StartAsync(Token);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };

        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/admin/commands", Token)).StatusCode);
        http.DefaultRequestHeaders.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", "admin");
        foreach (var wrong in new[] { "", "null", "{}", "{\"kind\":\"dance\"}", "{\"kind\":\"drain\",\"request\":{\"nobody\":1}}", "{\"kind\":\"rebalance\",\"id\":\"a b\"}", "{\"kind\":\"rebalance\",\"timeout_seconds\":0}", "{\"kind\":\"rebalance\",\"more\":0}" })
        {
            using var refused = await http.PostAsync("/admin/commands", new StringContent(wrong), Token);
            Assert.Equal((wrong, HttpStatusCode.BadRequest), (wrong, refused.StatusCode));
        }

        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/admin/commands/unknown", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await http.GetAsync("/admin/commands?limit=0", Token)).StatusCode);

        using var taken = await http.PostAsync("/admin/commands", new StringContent("{\"kind\":\"retire\",\"request\":{\"model\":\"m\"},\"timeout_seconds\":60}"), Token);
        Assert.Equal(HttpStatusCode.Accepted, taken.StatusCode);
        var ticket = (await taken.Content.ReadFromJsonAsync(CommandJson.Default.CommandTicket, Token))!;
        Assert.Equal(ticket.Status, taken.Headers.Location?.ToString());
        var end = await ReachesAsync(ticket.Id, CommandStates.Rejected);
        Assert.Equal("key-1", end.Issuer);
        var shown = await http.GetFromJsonAsync<JsonElement>(ticket.Status, Token);
        Assert.Equal((CommandStates.Rejected, "m"), (shown.GetProperty("state").GetString(), shown.GetProperty("subject").GetString()));
        var page = await http.GetFromJsonAsync<JsonElement>("/admin/commands", Token);
        Assert.Equal(ticket.Id, page.GetProperty("commands")[0].GetProperty("id").GetString());
        await app.StopAsync(Token);
    }

    private static DeployRequest Deploy(string model, int layers) => new()
    {
        Model = new PlannedModel { Shape = ModelShapes.ToWire(Shape(model, layers), canChat: true) },
    };

    private static WorkerRecord Worker(string id, params ServingShard[] shards)
    {
        var record = Record(1, 4, shards);
        record.WorkerId = id;
        return record;
    }

    private static async Task WriteTakenAsync(CommandStore commands, string id, IMessage request, string kind = CommandKinds.Rebalance)
    {
        var now = TimeProvider.System.GetUtcNow();
        var submitted = new CommandSubmitted(id, kind, request.ToByteArray(), "", "ada", now, now + Ample);
        Assert.True(await commands.TryAppendAsync(id, CommandState.None, [submitted, new CommandTaken("gone", 0)], Token));
        await commands.ListAsync(id, Token);
    }

    private Task<BusScheduler> StartAsync(string id) => BusScheduler.StartAsync("memory", new FailingStore(_store), id, _swarm);

    private Task LeadsAsync() => Patient.UntilAsync(() => _scheduler!.Status.IsLeading);

    /// <summary>Has model m of four layers served by the first of these workers.</summary>
    private async Task ServeAsync(params WorkerRecord[] workers)
    {
        _swarm.Be(workers);
        await LeadsAsync();
        await Commands.SubmitAsync("deploy-m", CommandKinds.Deploy, Deploy("m", 4), "ada", Ample, Token);
        await ReachesAsync("deploy-m", CommandStates.Completed);
    }

    private async Task<CommandStatus> ReachesAsync(string id, string state)
    {
        CommandStatus? status = null;
        await Patient.UntilAsync(async () =>
        {
            status = await Commands.GetAsync(id, Token);
            Assert.False(status is not null && CommandStates.IsFinal(status.State) && status.State != state, $"{id} is {status?.State}: {status?.Reason}");
            return status?.State == state;
        });
        return status!;
    }
}
