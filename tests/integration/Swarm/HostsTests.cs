namespace Parallax.IntegrationTests.Swarm;

/// <summary>Members on hosts of their own, with a network between them that is slow or lacks a way.</summary>
[Collection(SwarmWaitsCollection.Name)]
public sealed class HostsTests
{
    [Fact]
    public async Task Join_OverASlowWire_FetchesTheModelAndServes()
    {
        Assert.SkipWhen(NetworkNamespace.MissingReason is not null, NetworkNamespace.MissingReason ?? "");
        await using var host = await NetworkNamespace.CreateAsync(net: 71, rate: "20mbit");
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, [], listen: host.Here);
        var http = await swarm.ServingAsync();
        var traffic = await Traffic.BeginAsync(http, [.. Enumerable.Range(0, 6).Select(static seed => new Story("demo", seed, 150))]);

        var joiner = await swarm.JoinAsync("joiner", prefix: host.Prefix);

        var record = await swarm.UntilServingAsync(joiner);
        Assert.StartsWith($"https://{host.There}:", record.Addresses[0], StringComparison.Ordinal);
        Assert.InRange(await host.BytesSentAsync(), new FileInfo(Path.Combine(SwarmProcesses.DemoModel, "model.safetensors")).Length, long.MaxValue);
        await swarm.UntilAsync("the joiner has sessions", all => JoinTests.Sessions(all, joiner) > 0);
        await traffic.EndAsync(swarm);
    }

    [Fact]
    public async Task Workers_ThatCannotReachEachOther_AreNeighboursOnlyOnceTheyCan()
    {
        Assert.SkipWhen(NetworkNamespace.MissingReason is not null, NetworkNamespace.MissingReason ?? "");
        await using var left = await NetworkNamespace.CreateAsync(net: 72);
        await using var right = await NetworkNamespace.CreateAsync(net: 73);
        await left.SeparateAsync(right);
        await using var swarm = await SwarmProcesses.FoundAsync(
            SwarmProcesses.DemoModel, ["--memory", "4MiB", "--ctx", "512", "--max-batch", "4"], listen: "0.0.0.0");
        var port = swarm.FounderAddress.Split(':')[1];

        // The founder has room for no layer, and either of the others for half of them: together they would serve.
        var first = await swarm.JoinAsync("left", at: $"{left.Here}:{port}", prefix: left.Prefix, "--memory", LeaveTests.Half);
        var second = await swarm.JoinAsync("right", at: $"{right.Here}:{port}", prefix: right.Prefix, "--memory", LeaveTests.Half);
        var apart = await swarm.UntilAsync("they say that they cannot reach each other", static all => all.Workers.Count == 3
            && all.Workers.Where(static worker => worker.Name != "founder").All(static worker => worker.Unreachable.Count == 1));
        Assert.Equal([second.Id], apart.Workers.Single(static worker => worker.Name == "left").Unreachable);
        Assert.Equal([first.Id], apart.Workers.Single(static worker => worker.Name == "right").Unreachable);
        // Layers that were loaded before anybody knew stay where they are: to unload them would help nobody.
        await swarm.UntilAsync("the plan says so", static all => all.Plan.Shortages.Any(static text => text.Contains("reach", StringComparison.Ordinal)));

        await left.ConnectAsync(right);

        await swarm.UntilAsync("the plan joins them", static all => all.Plan.Shards.Count == 2 && all.Plan.Shortages.Count == 0 && all.Workers.All(static worker => worker.Unreachable.Count == 0));
        await swarm.UntilServingAsync(first);
        await swarm.UntilServingAsync(second);
        var http = await swarm.ServingAsync();
        await swarm.ReadyAsync(http);
        Assert.NotEmpty(await new Story("demo", 1, 50).ReadAsync(http));
    }
}
