using System.Net;
using Parallax.Contracts.V1;
using Parallax.Router.Routing;

namespace Parallax.IntegrationTests.Services;

/// <summary>A router whose workers come and go on a live map.</summary>
public class MembershipTests
{
    private static readonly string Text = new('x', 60);

    [Fact]
    public async Task AWorkerThatJoins_IsLinkedAndClosesThePath()
    {
        await using var swarm = await SwarmCluster.StartAsync();
        Assert.Contains("No worker is known", await swarm.WhenReadyAsync(HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
        var head = await swarm.AddAsync('a', PathCluster.Head(10, Text));
        var tail = await swarm.AddAsync('b', PathCluster.Holding(10, 30));

        swarm.Publish(head.Record());
        await Eventually.TrueAsync(async () => (await swarm.WhenReadyAsync(HttpStatusCode.ServiceUnavailable)).Contains("[10,30)", StringComparison.Ordinal));
        swarm.Publish(head.Record(), tail.Record());
        await swarm.WhenReadyAsync(HttpStatusCode.OK);

        head.Engine.Release();
        using var response = await swarm.PostAsync();
        Assert.Equal(Text, (await response.StreamAsync()).Text());
        Assert.Single(tail.Engine.Opened);
        await Eventually.TrueAsync(() => swarm.Directory.Ledger.Total == 0);
    }

    [Fact]
    public async Task AWorkerThatVanishes_FinishesItsSessions_TakesNoNewOnes_AndLosesItsLink()
    {
        await using var swarm = await SwarmCluster.StartAsync();
        var worker = await swarm.AddAsync('a', PathCluster.Head(30, Text));
        swarm.Publish(worker.Record());
        await swarm.WhenReadyAsync(HttpStatusCode.OK);
        var response = await swarm.PostAsync();
        worker.Engine.EmitAll(2);

        swarm.Publish();
        Assert.Contains("left the swarm", await swarm.WhenReadyAsync(HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
        Assert.Single(swarm.Directory.Links);
        worker.Engine.Release();

        Assert.Equal(Text, (await response.StreamAsync()).Text());
        await Eventually.TrueAsync(() => !swarm.Directory.Links.Any());
        Assert.Equal(0, swarm.Directory.Ledger.Total);
    }

    [Fact]
    public async Task ALeaseThatRunsOut_EndsCandidacy_AndARenewalBringsItBack()
    {
        await using var swarm = await SwarmCluster.StartAsync();
        var worker = await swarm.AddAsync('a', PathCluster.Head(30, Text));
        swarm.Publish(worker.Record());
        await swarm.WhenReadyAsync(HttpStatusCode.OK);

        swarm.Publish(worker.Record(lease: TimeSpan.Zero));
        await swarm.WhenReadyAsync(HttpStatusCode.ServiceUnavailable);

        swarm.Publish(worker.Record());
        await swarm.WhenReadyAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task AWorkerAtANewAddress_IsDialledAnew_AndItsAnswersGoOn()
    {
        await using var swarm = await SwarmCluster.StartAsync();
        var worker = await swarm.AddAsync('a', PathCluster.Head(30, Text));
        swarm.Publish(worker.Record());
        await swarm.WhenReadyAsync(HttpStatusCode.OK);
        var response = await swarm.PostAsync();
        worker.Engine.EmitAll(2);
        await using var live = new LiveAnswer(response);
        await live.ReadUntilAsync("xx");

        worker.LayWire();
        swarm.Publish(worker.Record());
        await Eventually.TrueAsync(() => swarm.Directory.Links.Single().Address == worker.Wire.Address);
        await swarm.WhenReadyAsync(HttpStatusCode.OK);
        worker.Engine.Release();

        Assert.Equal(Text, (await live.ReadToEndAsync()).Text());
        Assert.Single(worker.Engine.Opened);
        await Eventually.TrueAsync(() => swarm.Directory.Ledger.Total == 0);
    }

    [Fact]
    public async Task AWorkerThatRunsAnew_IsLinkedUnderItsId_AndServesAgain()
    {
        await using var swarm = await SwarmCluster.StartAsync();
        var worker = await swarm.AddAsync('a', PathCluster.Head(30, Text));
        swarm.Publish(worker.Record());
        await swarm.WhenReadyAsync(HttpStatusCode.OK);

        await worker.StopAsync();
        await swarm.WhenReadyAsync(HttpStatusCode.ServiceUnavailable);
        worker.Engine = PathCluster.Head(30, Text);
        worker.Engine.Release();
        await worker.StartAsync();
        swarm.Publish(worker.Record());
        await swarm.WhenReadyAsync(HttpStatusCode.OK);

        using var response = await swarm.PostAsync();
        Assert.Equal(Text, (await response.StreamAsync()).Text());
        Assert.Single(swarm.Directory.Links);
    }

    [Fact]
    public async Task AWorkerThatIsAboutToLeave_IsTheLastResort()
    {
        await using var swarm = await SwarmCluster.StartAsync();
        var (leaving, slow) = (await swarm.AddAsync('a', PathCluster.Head(30, Text)), await swarm.AddAsync('b', PathCluster.Head(30, Text)));
        leaving.Engine.Release();
        slow.Engine.Release();
        swarm.Publish(leaving.Record(stepMs: 1, phase: WorkerPhase.Draining), slow.Record(stepMs: 90));
        await Eventually.TrueAsync(() => swarm.Directory.Links.Count(static link => link.IsServing) == 2);

        (await (await swarm.PostAsync()).StreamAsync()).Text();
        Assert.Equal((0, 1), (leaving.Engine.Opened.Count, slow.Engine.Opened.Count));

        swarm.Publish(leaving.Record(stepMs: 1, phase: WorkerPhase.Draining));
        await Eventually.TrueAsync(() => swarm.Directory.Links.Count(static link => link.IsServing) == 1);
        Assert.Equal(Text, (await (await swarm.PostAsync()).StreamAsync()).Text()); // until others have taken over
        Assert.Single(leaving.Engine.Opened);
    }

    [Fact]
    public async Task AWorkerThatBecomesSlow_IsLeftInMidAnswer()
    {
        await using var swarm = await SwarmCluster.StartAsync();
        var (first, other) = (await swarm.AddAsync('a', PathCluster.Head(30, Text)), await swarm.AddAsync('b', PathCluster.Head(30, Text)));
        swarm.Publish(first.Record(stepMs: 2), other.Record(stepMs: 20));
        await Eventually.TrueAsync(() => swarm.Directory.Links.Count(static link => link.IsServing) == 2);
        await using var live = new LiveAnswer(await swarm.PostAsync());
        first.Engine.EmitAll(3);
        await live.ReadUntilAsync("xxx");

        swarm.Publish(first.Record(stepMs: 30), other.Record(stepMs: 20)); // slower, but not worth a move
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        Assert.Empty(other.Engine.Opened);
        swarm.Publish(first.Record(stepMs: 500), other.Record(stepMs: 20));
        await Eventually.TrueAsync(() => other.Engine.ActiveCount == 1);
        other.Engine.Release();

        Assert.Equal(Text, (await live.ReadToEndAsync()).Text());
        Assert.Equal(3, other.Engine.Opened.Single().AnswerTokenIds.Length);
        await Eventually.TrueAsync(() => first.Engine.ActiveCount == 0 && swarm.Directory.Ledger.Total == 0);
    }

    [Fact]
    public async Task AWorkerThatCannotBeConnected_IsNoCandidate_WhateverItsRecordSays()
    {
        await using var swarm = await SwarmCluster.StartAsync();
        var (cut, slow) = (await swarm.AddAsync('a', PathCluster.Head(30, Text)), await swarm.AddAsync('b', PathCluster.Head(30, Text)));
        cut.Wire.IsClosed = true;
        slow.Engine.Release();
        swarm.Publish(cut.Record(stepMs: 1), slow.Record(stepMs: 90));
        await swarm.WhenReadyAsync(HttpStatusCode.OK);

        using var response = await swarm.PostAsync();

        Assert.Equal(Text, (await response.StreamAsync()).Text());
        Assert.Empty(cut.Engine.Opened);
    }

    [Fact]
    public async Task ReportedSpeedAndLoad_Decide()
    {
        await using var swarm = await SwarmCluster.StartAsync();
        var (a, b) = (await swarm.AddAsync('a', PathCluster.Head(30, Text)), await swarm.AddAsync('b', PathCluster.Head(30, Text)));
        a.Engine.Release();
        b.Engine.Release();
        swarm.Publish(a.Record(stepMs: 50), b.Record(stepMs: 5));
        await Eventually.TrueAsync(() => swarm.Directory.Links.Count(static link => link.IsServing) == 2);
        await Eventually.TrueAsync(() => Cost(swarm) is > 4 and < 6);
        (await (await swarm.PostAsync()).StreamAsync()).Text();
        Assert.Equal((0, 1), (a.Engine.Opened.Count, b.Engine.Opened.Count));

        swarm.Publish(a.Record(stepMs: 50), b.Record(stepMs: 5, sessions: 80)); // more than full with other routers' sessions, even if some of them are taken for this one's
        await Eventually.TrueAsync(() => Cost(swarm) is > 40);
        (await (await swarm.PostAsync()).StreamAsync()).Text();
        Assert.Equal((1, 1), (a.Engine.Opened.Count, b.Engine.Opened.Count));
    }

    private static double? Cost(SwarmCluster swarm)
    {
        using var reserved = swarm.Directory.TryReserve("demo", new PathRequest(), out _);
        return reserved?.Path.Cost.StepMs;
    }
}
