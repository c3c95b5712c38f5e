using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Data.Sqlite;
using Parallax.Contracts.V1;
using Parallax.EventStore.Sqlite;
using Parallax.IntegrationTests.Services;
using Parallax.Scheduler.Planning;
using Parallax.Scheduler.Workflow;
using static Parallax.UnitTests.Scheduler.Swarms;
using Client = Parallax.Contracts.V1.Scheduler.SchedulerClient;

namespace Parallax.IntegrationTests.Scheduler;

/// <summary>The scheduler as a program: two on one store, sudden death, restarts, command line.</summary>
public sealed class SchedulerProcessTests : IDisposable
{
    private const string Program = "Parallax.Scheduler";

    private readonly string _folder = Directory.CreateTempSubdirectory("parallax-scheduler-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Store => Path.Combine(_folder, "events.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task LeaderKilled_TheStandbyLeadsWithThePlan()
    {
        var workers = Workers();
        await using var first = new ServiceProcess(Program, "--store", Store, "--port", "0", "--id", "a", "--workers", workers);
        using var firstChannel = GrpcChannel.ForAddress(await first.AddressAsync());
        var leader = new Client(firstChannel);
        await Eventually.TrueAsync(async () => (await PlanAsync(leader)).Leading);
        await using var second = new ServiceProcess(Program, "--store", Store, "--port", "0", "--id", "b", "--workers", workers);
        using var secondChannel = GrpcChannel.ForAddress(await second.AddressAsync());
        var standby = new Client(secondChannel);
        await leader.DrainAsync(new WorkerRequest { CommandId = "c", WorkerId = Id(1) }, cancellationToken: Token);
        await Eventually.TrueAsync(async () => (await PlanAsync(standby)).Plan.Record.Drain.Count == 1);
        var before = await PlanAsync(standby);
        Assert.Equal((false, "a"), (before.Leading, before.Leader.Id));

        await first.SignalAsync("-KILL");
        var killed = Stopwatch.GetTimestamp();
        await Eventually.TrueAsync(async () => (await PlanAsync(standby)).Leading);
        TestContext.Current.TestOutputHelper?.WriteLine($"took over {Stopwatch.GetElapsedTime(killed).TotalMilliseconds:0} ms after the kill");

        var after = await PlanAsync(standby);
        Assert.Equal("b", after.Plan.Record.Scheduler);
        Assert.True(after.Plan.Record.Term > before.Leader.Term);
        Assert.Equal([Id(1)], after.Plan.Record.Drain);
        Assert.True(after.Plan.Record.Version > before.Plan.Record.Version);
        var repeated = await standby.DrainAsync(new WorkerRequest { CommandId = "c", WorkerId = Id(1) }, cancellationToken: Token);
        Assert.True(repeated.RepeatedCommand);

        // The one that was killed comes back as a standby, and leads again when the other stops.
        await using var third = new ServiceProcess(Program, "--store", Store, "--port", "0", "--id", "a", "--workers", workers);
        using var thirdChannel = GrpcChannel.ForAddress(await third.AddressAsync());
        var returned = new Client(thirdChannel);
        await Eventually.TrueAsync(async () => (await PlanAsync(returned)).Leader?.Id == "b");
        await second.SignalAsync("-TERM");
        Assert.Equal(0, await second.ExitCodeAsync());
        await Eventually.TrueAsync(async () => (await PlanAsync(returned)).Leading);
        Assert.True((await PlanAsync(returned)).Plan.Record.Term > after.Plan.Record.Term);
    }

    [Fact]
    public async Task LeaderStoppedForAWhile_FindsThatItLeadsNoLonger()
    {
        await using var first = new ServiceProcess(Program, "--store", Store, "--port", "0", "--id", "a");
        using var firstChannel = GrpcChannel.ForAddress(await first.AddressAsync());
        var stopped = new Client(firstChannel);
        await Eventually.TrueAsync(async () => (await PlanAsync(stopped)).Leading);
        await using var second = new ServiceProcess(Program, "--store", Store, "--port", "0", "--id", "b");
        using var secondChannel = GrpcChannel.ForAddress(await second.AddressAsync());
        var standby = new Client(secondChannel);

        await StopBetweenWritesAsync(first);
        await Eventually.TrueAsync(async () => (await PlanAsync(standby)).Leading);
        await standby.RebalanceAsync(new RebalanceRequest { CommandId = "c" }, cancellationToken: Token);
        await first.SignalAsync("-CONT");

        await Eventually.TrueAsync(async () => await PlanAsync(stopped) is { Leading: false, Leader.Id: "b" } reply && reply.Plan.Record.Term >= 2);
        Assert.True((await PlanAsync(standby)).Leading);
    }

    [Fact]
    public async Task KilledInTheMidstOfAppends_LosesNothingThatItAnswered()
    {
        const int Rounds = 3;
        var answered = new List<(string Command, long Version)>();
        for (var round = 0; round < Rounds; round++)
        {
            await using var process = new ServiceProcess(Program, "--store", Store, "--port", "0", "--id", "a");
            using var channel = GrpcChannel.ForAddress(await process.AddressAsync());
            var client = new Client(channel);
            await Eventually.TrueAsync(async () => (await PlanAsync(client)).Leading);
            var wanted = answered.Count + 20 + (round * 7);
            var calls = Enumerable.Range(0, 4).Select(caller => Task.Run(
                async () =>
                {
                    for (var i = 0; ; i++)
                    {
                        var command = $"{round}.{caller}.{i}";
                        try
                        {
                            var reply = await client.RebalanceAsync(new RebalanceRequest { CommandId = command }, cancellationToken: Token);
                            lock (answered)
                            {
                                answered.Add((command, reply.Version.Version));
                            }
                        }
                        catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled)
                        {
                            return; // the process is dead
                        }
                        catch (RpcException e) when (e.StatusCode == StatusCode.FailedPrecondition)
                        {
                            await Task.Delay(50, Token); // it stood still for so long that it has to take its term again
                        }
                    }
                },
                Token)).ToList();
            await Eventually.TrueAsync(() =>
            {
                lock (answered)
                {
                    return answered.Count >= wanted;
                }
            });
            await process.SignalAsync("-KILL");
            await Task.WhenAll(calls);
        }

        await using var store = SqliteEventStore.Open(Store, TimeProvider.System);
        var events = await store.ReadAsync(PlanStream.Name, 1, Token).ToListAsync(Token);
        Assert.Equal(Enumerable.Range(1, events.Count).Select(static i => (long)i), events.Select(static stored => stored.Version));
        var decoded = events.Select(static stored => (stored.Version, Event: EventCodec.Decode(stored.Type, stored.Payload))).ToList();
        var terms = decoded.Select(static one => one.Event).OfType<TermStarted>().Select(static started => started.Term).ToList();
        Assert.Equal(Enumerable.Range(1, terms.Count).Select(static i => (long)i), terms);
        Assert.True(terms.Count >= Rounds);
        var versions = decoded.Where(static one => one.Event is RebalanceAsked)
            .ToDictionary(static one => ((RebalanceAsked)one.Event).Stamp.Id, static one => one.Version);
        Assert.All(answered, one => Assert.Equal(one.Version, versions[one.Command]));
        using var check = new SqliteConnection($"Data Source={Store};Pooling=false");
        check.Open();
        using var command = check.CreateCommand();
        command.CommandText = "pragma integrity_check";
        Assert.Equal("ok", command.ExecuteScalar());
    }

    [Fact]
    public async Task Restart_KeepsTheStateAndReadsTheWorkersAgain()
    {
        var workers = Workers();
        await using (var first = new ServiceProcess(Program, "--store", Store, "--port", "0", "--workers", workers))
        {
            using var channel = GrpcChannel.ForAddress(await first.AddressAsync());
            var client = new Client(channel);
            await Eventually.TrueAsync(async () => (await PlanAsync(client)).Leading);
            await client.DrainAsync(new WorkerRequest { CommandId = "c", WorkerId = Id(2) }, cancellationToken: Token);
            await first.SignalAsync("-INT");
            Assert.Equal(0, await first.ExitCodeAsync());
        }

        await using var second = new ServiceProcess(Program, "--store", Store, "--port", "0", "--workers", workers);
        using var again = GrpcChannel.ForAddress(await second.AddressAsync());
        var returned = new Client(again);
        await Eventually.TrueAsync(async () => (await PlanAsync(returned)).Leading);
        Assert.Equal([Id(2)], (await PlanAsync(returned)).Plan.Record.Drain);
        await File.WriteAllTextAsync(workers, "[ nonsense", Token);
        await File.WriteAllTextAsync(workers, Json(Record(1, 8), new WorkerRecord(Record(2, 8)) { Incarnation = 2 }), Token);
        await Eventually.TrueAsync(async () => (await PlanAsync(returned)).Plan.Record.Drain.Count == 0);
    }

    [Theory]
    [InlineData("--port 70000 --bind x", 2, "--bind")]
    [InlineData("--store missing/events.db", 1, "missing/events.db")]
    [InlineData("--workers missing.json", 2, "missing.json")]
    [InlineData("--turbo", 2, "--turbo")]
    public async Task CannotRun_SaysWhyAndExits(string arguments, int code, string reason)
    {
        await using var process = new ServiceProcess(Program, arguments.Split(' '));

        Assert.Equal(code, await process.ExitCodeAsync());
        Assert.Contains(reason, process.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", process.Errors, StringComparison.Ordinal);
    }

    /// <summary>Stops a process while it does not hold the store's write lock, which nobody could take from it.</summary>
    private async Task StopBetweenWritesAsync(ServiceProcess process)
    {
        while (true)
        {
            await process.SignalAsync("-STOP");
            using var connection = new SqliteConnection($"Data Source={Store};Pooling=false;Default Timeout=1");
            connection.Open();
            try
            {
                using var transaction = connection.BeginTransaction(deferred: false);
                return;
            }
            catch (SqliteException problem) when (problem.SqliteErrorCode == 5)
            {
                await process.SignalAsync("-CONT");
            }
        }
    }

    private static string Json(params WorkerRecord[] records) => $"[{string.Join(',', records.Select(static record => JsonFormatter.Default.Format(record)))}]";

    private static async Task<GetPlanReply> PlanAsync(Client client) => await client.GetPlanAsync(new GetPlanRequest(), cancellationToken: Token);

    private string Workers()
    {
        var path = Path.Combine(_folder, "workers.json");
        File.WriteAllText(path, Json(Record(1, 8), Record(2, 8)));
        return path;
    }
}
