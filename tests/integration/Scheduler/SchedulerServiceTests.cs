using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.IntegrationTests.Services;
using Parallax.Scheduler.Swarm;
using Parallax.UnitTests.Scheduler;
using static Parallax.IntegrationTests.Scheduler.SchedulerHost;
using static Parallax.UnitTests.Scheduler.Swarms;

namespace Parallax.IntegrationTests.Scheduler;

/// <summary>The scheduler's calls over gRPC, and its loop against a swarm that moves.</summary>
public sealed class SchedulerServiceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("parallax-scheduler-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Store => Path.Combine(_folder, "events.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Commands_ChangeThePlanAndAreTold()
    {
        await using var host = await StartAsync();
        host.Swarm.Be(Record(1, 5), Record(2, 5), Record(3, 8));
        await host.LeadsAsync();
        await SeesAsync(host, 3);

        var deployed = await host.Client.DeployAsync(Deploy("c1", "m", 8), cancellationToken: Token);
        Assert.True(deployed.PlanChanged);
        Assert.Empty(deployed.Shortages);
        var plan = await host.PlanAsync();
        Assert.Equal("3[0,8)", Text(plan.Plan.Record));
        Assert.Equal(deployed.Version, new PlanVersion { Term = plan.Plan.Record.Term, Version = plan.Plan.Record.Version });
        Assert.Equal(("model m was deployed", "s"), (plan.Plan.Cause, plan.Plan.Record.Scheduler));
        Assert.Equal(1, Assert.Single(plan.Plan.Pipelines).LatencyMs);
        Assert.Equal(["1 chains"], plan.Plan.Reasons);
        Assert.Equal([Id(1), Id(2)], plan.Plan.Standby);

        await host.Client.DrainAsync(new WorkerRequest { CommandId = "c2", WorkerId = Id(3) }, cancellationToken: Token);
        Assert.Equal("1[0,5) 2[5,8)", Text((await host.PlanAsync()).Plan.Record));
        await host.Client.PinAsync(new PinRequest { CommandId = "c3", WorkerId = Id(2), Model = "m", LayerStart = 0, LayerEnd = 5 }, cancellationToken: Token);
        Assert.Equal("2[0,5) 1[5,8)", Text((await host.PlanAsync()).Plan.Record));
        await host.Client.UnpinAsync(new UnpinRequest { CommandId = "c4", WorkerId = Id(2), Model = "m" }, cancellationToken: Token);
        await host.Client.RebalanceAsync(new RebalanceRequest { CommandId = "c5" }, cancellationToken: Token);
        var removed = await host.Client.RemoveAsync(new WorkerRequest { CommandId = "c6", WorkerId = Id(1) }, cancellationToken: Token);
        Assert.NotEmpty((await host.PlanAsync()).Plan.Record.Drain);
        var again = await host.Client.RemoveAsync(new WorkerRequest { CommandId = "c6", WorkerId = Id(1) }, cancellationToken: Token);
        Assert.True(again.RepeatedCommand);
        Assert.Equal(removed.Version, again.Version);
        await host.Client.RetireAsync(new RetireRequest { CommandId = "c7", Model = "m" }, cancellationToken: Token);
        Assert.Empty((await host.PlanAsync()).Plan.Record.Shards);

        var last = (await host.PlanAsync()).Plan.Record;
        await Eventually.TrueAsync(() => host.Swarm.Published.Any(published => IsPublished(last, published)));
    }

    [Fact]
    public async Task Nonsense_IsRefusedWithReasons()
    {
        await using var host = await StartAsync();
        await host.LeadsAsync();

        await RefusedAsync(StatusCode.InvalidArgument, "command_id", () => host.Client.RetireAsync(new RetireRequest { Model = "m" }, cancellationToken: Token));
        await RefusedAsync(StatusCode.InvalidArgument, "layers", () => host.Client.DeployAsync(Deploy("c", "m", 0), cancellationToken: Token));
        await RefusedAsync(StatusCode.InvalidArgument, "model is missing", () => host.Client.DeployAsync(new DeployRequest { CommandId = "c" }, cancellationToken: Token));
        await RefusedAsync(StatusCode.NotFound, "'m' is not deployed", () => host.Client.RetireAsync(new RetireRequest { CommandId = "c", Model = "m" }, cancellationToken: Token));
        await RefusedAsync(StatusCode.NotFound, "no worker is known", () => host.Client.DrainAsync(new WorkerRequest { CommandId = "c", WorkerId = Id(1) }, cancellationToken: Token));
        await RefusedAsync(StatusCode.InvalidArgument, "printable", () => host.Client.DrainAsync(new WorkerRequest { CommandId = "c", WorkerId = "a\nb" }, cancellationToken: Token));
        await RefusedAsync(StatusCode.InvalidArgument, "add_workers", () => host.Client.WhatIfAsync(new WhatIfRequest { AddWorkers = { new WorkerRecord() } }, cancellationToken: Token));
        await host.Client.DeployAsync(Deploy("c", "m", 8), cancellationToken: Token);
        await RefusedAsync(StatusCode.AlreadyExists, "'c'", () => host.Client.DeployAsync(Deploy("c", "n", 8), cancellationToken: Token));
    }

    [Fact]
    public async Task WhatIf_AnswersAndChangesNothing()
    {
        await using var host = await StartAsync();
        host.Swarm.Be(Record(1, 5));
        await host.LeadsAsync();
        await SeesAsync(host, 1);
        await host.Client.DeployAsync(Deploy("c", "m", 8), cancellationToken: Token);
        var before = await host.PlanAsync();
        Assert.Equal(["m lacks 300 bytes."], before.Plan.Record.Shortages);

        var reply = await host.Client.WhatIfAsync(new WhatIfRequest { AddWorkers = { Record(2, 5) } }, cancellationToken: Token);

        Assert.Equal("1[0,5) 2[5,8)", Text(reply.Plan.Record));
        Assert.Equal(2, reply.Plan.Moves.Count);
        Assert.Equal(before, await host.PlanAsync());
    }

    [Fact]
    public async Task Loop_FollowsTheSwarm_AndRejectsWhatCannotBeUsed()
    {
        await using var host = await StartAsync();
        await host.LeadsAsync();
        await host.Client.DeployAsync(Deploy("c", "m", 8), cancellationToken: Token);

        host.Swarm.Be(new WorkerRecord { WorkerId = "nonsense" }, Record(1, 8), new WorkerRecord(Record(2, 8)) { Device = null });
        await host.PlansAsync("1[0,8)");
        host.Swarm.Be([new ObservedWorker(Record(1, 8), Freshness.Lost), new ObservedWorker(Record(3, 8), Freshness.Leased)]);
        await host.PlansAsync("3[0,8)");
        host.Swarm.Be();
        await Eventually.TrueAsync(async () => (await host.PlanAsync()).Plan.Record.Shortages.Count == 1);
        host.Swarm.Be(Record(4, 8));
        await host.PlansAsync("4[0,8)");
    }

    [Fact]
    public async Task Loop_SurvivesAPlannerThatFails()
    {
        var fails = true;
        await using var host = await StartAsync(replan: (models, cluster, current, options) =>
            Volatile.Read(ref fails) ? throw new InvalidOperationException("a bug") : ChainPlanner.Replan(models, cluster, current, options));
        await host.LeadsAsync();
        host.Swarm.Be(Record(1, 8));
        await SeesAsync(host, 1);

        await RefusedAsync(StatusCode.Internal, "error of the scheduler", () => host.Client.DeployAsync(Deploy("c", "m", 8), cancellationToken: Token));
        await RefusedAsync(StatusCode.Internal, "error of the scheduler", () => host.Client.WhatIfAsync(new WhatIfRequest { Deploy = { Deploy("c", "m", 8).Model } }, cancellationToken: Token));
        Assert.Empty((await host.PlanAsync()).Plan.Record.Models);
        Volatile.Write(ref fails, false);
        await host.Client.DeployAsync(Deploy("c", "m", 8), cancellationToken: Token);
        await host.PlansAsync("1[0,8)");
        Volatile.Write(ref fails, true);
        host.Swarm.Be(Record(2, 8));
        Volatile.Write(ref fails, false);
        host.Swarm.Be(Record(3, 8));
        await host.PlansAsync("3[0,8)");
    }

    /// <summary>What is published says beside the plan where its scheduler is called.</summary>
    private static bool IsPublished(PlanRecord plan, PlanRecord published)
    {
        var told = published.Clone();
        told.SchedulerAddress = plan.SchedulerAddress;
        return told.Equals(plan) && published.SchedulerAddress.Length > 0;
    }

    [Fact]
    public async Task Publication_IsRepeated_AlsoAfterFailures()
    {
        await using var host = await StartAsync(planLease: TimeSpan.FromSeconds(3));
        host.Swarm.Fail(1);
        await host.LeadsAsync();
        await host.Client.DeployAsync(Deploy("c", "m", 8), cancellationToken: Token);
        var plan = (await host.PlanAsync()).Plan.Record;

        await Eventually.TrueAsync(() => host.Swarm.Published.Count(published => IsPublished(plan, published)) >= 3);
    }

    [Fact]
    public async Task Restart_KeepsThePlan_AlsoBeforeTheWorkersAreSeen()
    {
        long version;
        await using (var first = await StartAsync(Store, id: "a"))
        {
            first.Swarm.Be(Record(1, 5), Record(2, 5));
            await first.LeadsAsync();
            await SeesAsync(first, 2);
            await first.Client.DeployAsync(Deploy("c", "m", 8), cancellationToken: Token);
            version = (await first.PlanAsync()).Plan.Record.Version;
        }

        var calls = 0;
        await using var second = await StartAsync(Store, id: "b", replan: (models, cluster, current, options) =>
        {
            Interlocked.Increment(ref calls);
            return ChainPlanner.Replan(models, cluster, current, options);
        });
        await second.LeadsAsync();
        var plan = (await second.PlanAsync()).Plan.Record;
        Assert.Equal(("1[0,5) 2[5,8)", 2, version + 1, "b"), (Text(plan), plan.Term, plan.Version, plan.Scheduler));

        // Served in another order than the planner would choose, and by its order of preference with room for a better one.
        second.Swarm.Be(Record(1, 5, Shard("m", 0, 5, 8)), Record(2, 5, Shard("m", 5, 8, 8)), Record(3, 20));
        await Eventually.TrueAsync(() => Volatile.Read(ref calls) > 0);
        Assert.True((await second.Client.DeployAsync(Deploy("c", "m", 8), cancellationToken: Token)).RepeatedCommand);
        plan = (await second.PlanAsync()).Plan.Record;
        Assert.Equal(("1[0,5) 2[5,8)", version + 1), (Text(plan), plan.Version));
    }

    [Fact]
    public async Task Standby_SaysWhoLeads_KnowsThePlan_AndTakesOver()
    {
        var swarm = new FakeSwarm();
        swarm.Be(Record(1, 8));
        var first = await StartAsync(Store, swarm, id: "a");
        await first.LeadsAsync();
        await SeesAsync(first, 1);
        await using var second = await StartAsync(Store, swarm, id: "b");
        await first.Client.DeployAsync(Deploy("c", "m", 8), cancellationToken: Token);
        await second.PlansAsync("1[0,8)");
        var reply = await second.PlanAsync();
        Assert.False(reply.Leading);
        Assert.Equal(("a", 1, first.Address), (reply.Leader.Id, reply.Leader.Term, new Uri(reply.Leader.Address)));

        var refusal = await Assert.ThrowsAsync<RpcException>(async () => await second.Client.RetireAsync(new RetireRequest { CommandId = "d", Model = "m" }, cancellationToken: Token));
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Equal("a", refusal.Trailers.GetValue("parallax-leader-id"));
        Assert.Equal(first.Address, new Uri(refusal.Trailers.GetValue("parallax-leader-address")!));

        await first.DisposeAsync();
        await second.LeadsAsync();
        var plan = (await second.PlanAsync()).Plan.Record;
        Assert.Equal(("1[0,8)", 2, "b"), (Text(plan), plan.Term, plan.Scheduler));
        Assert.True((await second.Client.DeployAsync(Deploy("c", "m", 8), cancellationToken: Token)).RepeatedCommand);
    }

    private static Task SeesAsync(SchedulerHost host, int workers) => Eventually.TrueAsync(async () =>
        (await host.Client.WhatIfAsync(new WhatIfRequest(), cancellationToken: Token)).Plan.Standby.Count == workers);

    private static async Task RefusedAsync<T>(StatusCode code, string reason, Func<AsyncUnaryCall<T>> call)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(async () => await call());
        Assert.Equal(code, refusal.StatusCode);
        Assert.Contains(reason, refusal.Status.Detail, StringComparison.Ordinal);
    }
}
