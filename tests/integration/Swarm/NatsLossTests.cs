using Parallax.Testing.Members;
using Parallax.Testing.Servers;

namespace Parallax.IntegrationTests.Swarm;

/// <summary>NATS dies while the swarm answers.</summary>
[Collection(SwarmWaitsCollection.Name)]
public sealed class NatsLossTests
{
    [Fact]
    public async Task Nats_KilledAndStartedAgain_ChangesNothingForClients()
    {
        Assert.SkipWhen(NatsServerProcess.MissingReason is not null, NatsServerProcess.MissingReason ?? "");
        await using var nats = await NatsServerProcess.StartAsync(new NatsServerConfig(), TestContext.Current.CancellationToken);
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, [], common: ["--nats", nats.Address.ToString()]);
        var http = await swarm.ServingAsync();
        var first = await swarm.JoinAsync("first");
        await swarm.UntilServingAsync(first);
        await HearsByAsync(swarm, first, "nats");
        var traffic = await Traffic.BeginAsync(http, [.. Enumerable.Range(0, 4).Select(static seed => new Story("demo", seed, 150))]);

        await nats.KillAsync(TestContext.Current.CancellationToken);

        await HearsByAsync(swarm, first, "overlay");
        var second = await swarm.JoinAsync("second");
        await swarm.UntilServingAsync(second);
        await swarm.UntilServingAsync(second, observer: first);
        await traffic.FlowsAsync();

        await nats.RestartAsync(TestContext.Current.CancellationToken);

        await HearsByAsync(swarm, first, "nats");
        await HearsByAsync(swarm, second, "nats");
        await traffic.FlowsAsync();
        await traffic.EndAsync(swarm);
    }

    private static async Task HearsByAsync(SwarmProcesses swarm, MemberProcess worker, string wire)
    {
        await swarm.UntilAsync($"the founder hears by {wire}", all => all.Telemetry == wire);
        await swarm.UntilAsync(worker, $"{worker.Name} hears by {wire}", all => all.Telemetry == wire);
    }
}
