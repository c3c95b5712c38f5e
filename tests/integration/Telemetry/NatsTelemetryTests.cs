using Parallax.IntegrationTests.Services;
using Parallax.Swarm.Telemetry;
using Parallax.Testing.Servers;
using Parallax.Testing.Telemetry;

namespace Parallax.IntegrationTests.Telemetry;

/// <summary>Members of a swarm and a real server that does what servers do.</summary>
public sealed class NatsTelemetryTests
{
    public NatsTelemetryTests() => Assert.SkipWhen(NatsServerProcess.MissingReason is not null, NatsServerProcess.MissingReason ?? "");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Publish_EveryKind_IsHeardByOthersOfTheSwarmOnly()
    {
        await using var server = await StartAsync();
        var swarm = NatsMember.FreshSwarm();
        await using var a = await NatsMember.ConnectedAsync(NatsMember.At(server), swarm);
        await using var b = await NatsMember.ConnectedAsync(NatsMember.At(server), swarm);
        await using var stranger = await NatsMember.ConnectedAsync(NatsMember.At(server), NatsMember.FreshSwarm());

        a.Say("record");
        Assert.Equal(NewsKind.Worker, (await b.HearAsync("record")).Kind);
        a.News.Publish(NewsKind.Plan, "", a.Worker.Envelope("plan"));
        Assert.Equal(NewsKind.Plan, (await b.HearAsync("plan")).Kind);
        a.News.Publish(NewsKind.Revocations, "", a.Worker.Envelope("revocations"));
        Assert.Equal(NewsKind.Revocations, (await b.HearAsync("revocations")).Kind);

        b.Say("answer");
        await a.HearAsync("answer");
        Assert.Equal(0, stranger.News.Counts.Arrived);
        Assert.Equal("nats", a.News.Name);
        Assert.Equal(server.Address.ToString(), a.News.State.Server);
    }

    [Fact]
    public async Task Publish_OnceOnly_IsRepeatedForWhoeverComesLater()
    {
        await using var server = await StartAsync();
        var swarm = NatsMember.FreshSwarm();
        await using var early = await NatsMember.ConnectedAsync(NatsMember.At(server) with { Period = TimeSpan.FromMilliseconds(50) }, swarm);
        early.Say("here");
        await Eventually.TrueAsync(() => early.News.Counts.Sent > 0);

        await using var late = await NatsMember.ConnectedAsync(NatsMember.At(server), swarm);
        await late.HearAsync("here");
        await late.HearAsync("here");
    }

    [Fact]
    public async Task Dispose_AfterAFarewell_HasSentIt()
    {
        await using var server = await StartAsync();
        var swarm = NatsMember.FreshSwarm();
        await using var stays = await NatsMember.ConnectedAsync(NatsMember.At(server), swarm);
        for (var i = 0; i < 20; i++)
        {
            var leaves = await NatsMember.ConnectedAsync(NatsMember.At(server) with { DrainTime = TimeSpan.FromSeconds(30) }, swarm);
            leaves.Say($"farewell {i}");
            await leaves.DisposeAsync();
            await stays.HearAsync($"farewell {i}");
        }
    }

    [Fact]
    public async Task Server_KilledAndRestarted_StateFollowsAndEverythingIsSaidAgain()
    {
        await using var server = await StartAsync();
        var swarm = NatsMember.FreshSwarm();
        // Nothing is repeated: what is heard again was said again. And a connection is lost only with its server.
        var options = NatsMember.At(server) with { Period = TimeSpan.FromHours(1), PingPeriod = TimeSpan.FromSeconds(10) };
        await using var a = await NatsMember.ConnectedAsync(options, swarm);
        await using var b = await NatsMember.ConnectedAsync(options, swarm);
        a.News.Publish(NewsKind.Plan, "", a.Worker.Envelope("plan"));
        a.Say("before");
        await b.HearAsync("before");

        var (flippedA, flippedB) = (a.News.Changed, b.News.Changed);
        await server.KillAsync(Token);
        await Task.WhenAll(flippedA, flippedB).WaitAsync(TimeSpan.FromMinutes(2), Token);
        Assert.False(a.News.IsConnected);
        Assert.False(b.News.IsConnected);
        await Eventually.TrueAsync(() => a.Log.Warnings.Any(static warning => warning.Contains("is gone", StringComparison.Ordinal)));
        a.Say("during, replaced", sequence: 2);
        a.Say("during", sequence: 3);

        (flippedA, flippedB) = (a.News.Changed, b.News.Changed);
        await server.RestartAsync(Token);
        await Task.WhenAll(flippedA, flippedB).WaitAsync(TimeSpan.FromMinutes(2), Token);
        Assert.True(a.News.IsConnected);
        Assert.True(b.News.IsConnected);

        // Whichever of the two came back first, news flows both ways.
        await Eventually.TrueAsync(() => a.News.Counts.Sent >= 4);
        a.Say("after", sequence: 4);
        await b.HearAsync("after");
        b.Say("answer");
        await a.HearAsync("answer");
        Assert.Equal(2, a.News.Counts.Connections);
    }

    [Fact]
    public async Task Server_Restarted_WhoeverListensAlreadyHearsTheLatestOfEachKind()
    {
        await using var server = await StartAsync();
        var swarm = NatsMember.FreshSwarm();
        await using var door = new BreakableProxy(new Uri($"http://127.0.0.1:{server.Port}"));
        await using var member = await NatsMember.ConnectedAsync(new NatsOptions { Servers = [new Uri($"nats://127.0.0.1:{door.Address.Port}")], Period = TimeSpan.FromHours(1) }, swarm);
        door.IsClosed = true; // until the other one listens
        await server.KillAsync(Token);
        await Eventually.TrueAsync(() => !member.News.IsConnected);
        member.News.Publish(NewsKind.Plan, "", member.Worker.Envelope("old plan"));
        member.News.Publish(NewsKind.Plan, "", member.Worker.Envelope("plan"));
        member.Say("old record", sequence: 2);
        member.Say("record", sequence: 3);

        await server.RestartAsync(Token);
        await using var listener = NatsMember.Stranger(server);
        await using var subscription = await listener.SubscribeCoreAsync<byte[]>($"parallax.{swarm}.>", cancellationToken: Token);
        await listener.PingAsync(Token);
        door.IsClosed = false;

        var heard = new List<string>();
        while (heard.Count < 2)
        {
            var message = await subscription.Msgs.ReadAsync(Token);
            heard.Add($"{message.Subject}: {TestWorker.ValueOf(message.Data)}");
        }

        Assert.Equal([$"{member.Subjects.Plan}: plan", $"{member.Subjects.Record(member.Worker.Id)}: record"], heard.Order());
    }

    [Fact]
    public async Task Server_Paused_IsNoticedAndComesBack()
    {
        await using var server = await StartAsync();
        await using var member = await NatsMember.ConnectedAsync(NatsMember.At(server) with { ConnectTime = TimeSpan.FromSeconds(0.5) }, NatsMember.FreshSwarm());
        await server.PauseAsync(Token);
        await member.AbsentAsync("does not answer within 0.5 s"); // it was given up, and a new connection gets no greeting
        await server.ResumeAsync(Token);
        await Eventually.TrueAsync(() => member.News.IsConnected);
    }

    [Fact]
    public async Task Server_AbsentFromTheStart_IsAStateAndOneWarning()
    {
        await using var server = await StartAsync();
        await server.KillAsync(Token);
        await using var member = new NatsMember(NatsMember.At(server) with { FirstRetry = TimeSpan.FromMilliseconds(5), LongestRetry = TimeSpan.FromMilliseconds(10) }, NatsMember.FreshSwarm());
        member.Say("kept");
        await member.AbsentAsync("cannot be reached");
        await Task.Delay(200, Token); // some twenty attempts more
        Assert.Single(member.Log.Warnings);

        await server.RestartAsync(Token);
        await Eventually.TrueAsync(() => member.News.Counts.Sent > 0);
    }

    [Fact]
    public async Task Servers_FirstOneAbsent_NextIsTaken()
    {
        await using var absent = await StartAsync();
        await using var present = await StartAsync();
        await absent.KillAsync(Token);
        await using var member = await NatsMember.ConnectedAsync(new NatsOptions { Servers = [absent.Address, present.Address] }, NatsMember.FreshSwarm());
        Assert.Equal(present.Address.ToString(), member.News.State.Server);
    }

    [Fact]
    public async Task Server_WithLittleRoomForMessages_IsRefusedWithTheFigure()
    {
        await using var server = await NatsServerProcess.StartAsync(new NatsServerConfig { MaxPayload = 1000 }, Token);
        await using var member = new NatsMember(NatsMember.At(server), NatsMember.FreshSwarm());
        await member.AbsentAsync($"raise its max_payload to {NewsLimits.MaxEnvelopeBytes}");
    }

    private static Task<NatsServerProcess> StartAsync() => NatsServerProcess.StartAsync(new NatsServerConfig(), Token);
}
