using System.Text;
using Parallax.Audit.Chain;
using Parallax.Bus;
using Parallax.EventStore.Memory;
using Parallax.EventStore.Sqlite;
using Parallax.IntegrationTests.Services;
using Parallax.Testing.Servers;

namespace Parallax.IntegrationTests.Bus;

/// <summary>Audit events over a real broker, with what can go wrong on the way.</summary>
public sealed class AuditOverBrokerTests(ServerPool servers) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("parallax-bus-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Sent_ByUsersWithTheDocumentedRights_IsStored()
    {
        const string Entries = @"^parallax\.((audit|commands|command-status)\.entry|reply\..*)$";
        const string Own = @"^parallax\.((audit|commands|command-status)(\.entry|_error|_skipped)?|reply\..*)$";
        var broker = await BrokerAsync("rights", ("router", Entries, Entries, @"^parallax\.reply\..*$"), ("scheduler", Own, Own, Own));
        var (router, scheduler) = (broker.BusOf("router", _folder), broker.BusOf("scheduler", _folder));
        await using var store = new InMemoryEventStore(TimeProvider.System);
        await using var consumer = await BusScheduler.StartAsync(scheduler, store);
        await using var sender = await BusSender.StartAsync(BusOptions.Parse(router));
        var story = new AuditStory("r", 3);

        await sender.ShipAsync(story.Next(100));
        await StoredStory.ArrivesAsync(store, story.Told);

        // The answer to a question takes the rights to the queue for answers, on both sides.
        Assert.Empty(await sender.Commands.ListAsync(10, Token));
        await broker.PublishAsync("parallax.audit.entry", "rubbish"u8.ToArray());
        await Patient.UntilAsync(async () => await broker.WaitingAsync("parallax.audit_error") == 1);
    }

    [Fact]
    public async Task NoConsumerYet_SendFailsAndNothingIsLost()
    {
        var broker = await BrokerAsync("early");
        await using var sender = await BusSender.StartAsync(BusOptions.Parse(broker.Bus));
        var story = new AuditStory("e", 1);
        var events = story.Next(5);

        var problem = await Assert.ThrowsAsync<BusException>(() => sender.Audit.SendAsync(events, Token));
        Assert.Contains("no queue", problem.Message, StringComparison.Ordinal);

        await using var store = new InMemoryEventStore(TimeProvider.System);
        await using var consumer = await BusScheduler.StartAsync(broker.Bus, store);
        await sender.ShipAsync(events);
        await StoredStory.ArrivesAsync(store, story.Told);
    }

    [Fact]
    public async Task BrokerKilledInTraffic_EveryEventIsStoredOnceAndInOrder()
    {
        await Broker.SkipIfMissingAsync();
        await using var server = await RabbitMqServer.StartNewAsync(Token);
        var bus = $"rabbitmq://{server.User}@{server.Host}:{server.Port}/";
        await using var store = new InMemoryEventStore(TimeProvider.System);
        await using var consumer = await BusScheduler.StartAsync(bus, store);
        await using var sender = await BusSender.StartAsync(BusOptions.Parse(bus));
        var story = new AuditStory("k", 7);
        using var enough = new CancellationTokenSource();
        var failures = 0;
        var traffic = Task.Run(
            async () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    failures += await sender.ShipAsync(story.Next(20));
                }
            },
            Token);

        for (var kill = 0; kill < 2; kill++)
        {
            var before = story.Told.Count;
            await Patient.UntilAsync(() => story.Told.Count > before + 200);
            await server.KillAsync(Token);
            await Patient.UntilAsync(() => !sender.State.IsConnected && sender.State.Problem is not null);
            await server.StartAsync(Token);
        }

        var last = story.Told.Count;
        await Patient.UntilAsync(() => story.Told.Count > last + 200);
        await enough.CancelAsync();
        await traffic;
        await StoredStory.ArrivesAsync(store, story.Told);
        TestContext.Current.TestOutputHelper?.WriteLine($"{story.Told.Count} events; {failures} sends failed and were repeated");
    }

    [Fact]
    public async Task SchedulerKilledInTraffic_TheOtherGoesOn()
    {
        var broker = await BrokerAsync("killed");
        var path = Path.Combine(_folder, "events.db");
        await using var store = SqliteEventStore.Open(path, TimeProvider.System);
        await using var first = Scheduler(path, broker.Bus, "a");
        await first.AddressAsync();
        await using var second = Scheduler(path, broker.Bus, "b");
        await second.AddressAsync();
        await using var sender = await BusSender.StartAsync(BusOptions.Parse(broker.Bus));
        var story = new AuditStory("s", 5);
        await sender.ShipAsync(story.Next(10));
        using var enough = new CancellationTokenSource();
        var traffic = Task.Run(
            async () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    await sender.ShipAsync(story.Next(50));
                    await Task.Delay(50, Token); // while processes start, a sender at full speed would get minutes ahead of a store on a busy machine
                }
            },
            Token);

        // Whichever reads the queue: both are killed in turn, and one comes back in between.
        await Patient.UntilAsync(() => story.Told.Count > 1_000);
        await first.SignalAsync("-KILL");
        var before = story.Told.Count;
        await Patient.UntilAsync(() => story.Told.Count > before + 500);
        await using var third = Scheduler(path, broker.Bus, "c");
        await third.AddressAsync();
        await second.SignalAsync("-KILL");
        before = story.Told.Count;
        await Patient.UntilAsync(() => story.Told.Count > before + 500);
        await enough.CancelAsync();
        await traffic;

        await StoredStory.ArrivesAsync(store, story.Told);
        Assert.True(await broker.WaitingAsync("parallax.audit_error") is null or 0);
    }

    [Fact]
    public async Task Poison_GoesToTheErrorQueueAndHoldsNobodyUp()
    {
        var broker = await BrokerAsync("poison");
        await using var store = new InMemoryEventStore(TimeProvider.System);
        await using var consumer = await BusScheduler.StartAsync(broker.Bus, store);
        await using var sender = await BusSender.StartAsync(BusOptions.Parse(broker.Bus));
        var story = new AuditStory("p", 2);
        await sender.ShipAsync(story.Next(10));
        await StoredStory.ArrivesAsync(store, story.Told);

        // No message of MassTransit's; no JSON; another event at a place that is taken; an id that is not the hash's; a stream of
        // somebody else; another number than the payload says.
        await broker.PublishAsync("parallax.audit.entry", [0xff, 0x00], "application/octet-stream");
        await broker.PublishAsync("parallax.audit.entry", Encoding.UTF8.GetBytes("{\"messageType\":"), "application/vnd.masstransit+json");
        await sender.Audit.SendAsync([.. new AuditStory("p", 2).Next(4).Skip(2)], Token); // a repeat, which is none
        var forked = new AuditChain(story.Told[0].Stream).Append(new Parallax.Audit.Events.RequestCancelled(7), DateTimeOffset.UnixEpoch);
        await sender.Audit.SendAsync([forked], Token);
        var next = story.Next(2);
        await sender.Audit.SendAsync([next[0] with { Id = Guid.NewGuid() }], Token);
        await sender.Audit.SendAsync([next[0] with { Stream = "scheduler/plan" }], Token);
        await sender.Audit.SendAsync([next[0] with { Number = 1 }], Token);

        await sender.ShipAsync(next);
        await StoredStory.ArrivesAsync(store, story.Told);
        await Patient.UntilAsync(async () => await broker.WaitingAsync("parallax.audit_error") == 6);
        Assert.Equal(0u, await broker.WaitingAsync("parallax.audit"));
    }

    [Fact]
    public async Task PredecessorsMissing_WaitForThem()
    {
        var broker = await BrokerAsync("gaps");
        await using var store = new InMemoryEventStore(TimeProvider.System);
        await using var consumer = await BusScheduler.StartAsync(broker.Bus, store);
        await using var sender = await BusSender.StartAsync(BusOptions.Parse(broker.Bus));
        var story = new AuditStory("g", 1);
        var (first, second, third) = (story.Next(3), story.Next(3), story.Next(3));

        await sender.ShipAsync(third);
        await sender.ShipAsync(second);
        await Task.Delay(1_500, Token); // longer than the first patience: by now they have been to the end of the queue
        await sender.ShipAsync(first);
        await sender.ShipAsync([.. first, .. second]); // cut otherwise than before
        await sender.ShipAsync([.. second[1..], .. third[..2]]);

        await StoredStory.ArrivesAsync(store, story.Told);
        await Patient.UntilAsync(async () => await broker.WaitingAsync("parallax.audit") == 0);
        Assert.True(await broker.WaitingAsync("parallax.audit_error") is null or 0);
    }

    [Fact]
    public async Task StoreAway_MessagesWaitAlsoOverTheConsumersEnd()
    {
        var broker = await BrokerAsync("store");
        await using var inner = new InMemoryEventStore(TimeProvider.System);
        var store = new FailingStore(inner) { Fails = true };
        var story = new AuditStory("w", 2);
        await using (await BusScheduler.StartAsync(broker.Bus, store))
        {
            await using var sender = await BusSender.StartAsync(BusOptions.Parse(broker.Bus));
            await sender.ShipAsync(story.Next(10));
            await sender.ShipAsync(story.Next(10));
            await Patient.UntilAsync(() => store.Failures > 3);
        }

        await Patient.UntilAsync(async () => await broker.WaitingAsync("parallax.audit") == 2);
        Assert.True(await broker.WaitingAsync("parallax.audit_error") is null or 0);
        store.Fails = false;
        await using var consumer = await BusScheduler.StartAsync(broker.Bus, store);
        await StoredStory.ArrivesAsync(inner, story.Told);
    }

    [Fact]
    public async Task BrokerAway_HostsStartAndConnectWhenItComes()
    {
        await Broker.SkipIfMissingAsync();
        await using var server = await RabbitMqServer.StartNewAsync(Token);
        await server.KillAsync(Token);
        var bus = $"rabbitmq://{server.User}@{server.Host}:{server.Port}/";
        await using var store = new InMemoryEventStore(TimeProvider.System);
        await using var consumer = await BusScheduler.StartAsync(bus, store);
        await using var sender = await BusSender.StartAsync(BusOptions.Parse(bus));
        Assert.False(sender.State.IsConnected);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(1));
        var story = new AuditStory("a", 1);
        var events = story.Next(5);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sender.Audit.SendAsync(events, patience.Token));

        await server.StartAsync(Token);
        await sender.ShipAsync(events);
        await StoredStory.ArrivesAsync(store, story.Told);
        await Patient.UntilAsync(() => sender.State.IsConnected && sender.State.Problem is null);
    }

    private static ServiceProcess Scheduler(string store, string bus, string id) =>
        new("Parallax.Scheduler", "--store", store, "--port", "0", "--id", id, "--bus", bus);

    private async Task<Broker> BrokerAsync(string name, params (string Name, string Configure, string Write, string Read)[] users)
    {
        await Broker.SkipIfMissingAsync();
        return await Broker.OnAsync(await servers.RabbitMqAsync(Token), name, users);
    }
}
