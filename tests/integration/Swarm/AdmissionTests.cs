using Parallax.Hosting;
using Parallax.Identity;

namespace Parallax.IntegrationTests.Swarm;

/// <summary>Who may join, and who may stay.</summary>
[Collection(SwarmCollection.Name)]
public sealed class AdmissionTests
{
    [Fact]
    public async Task Join_WithoutAGoodToken_IsRefusedAndSaysWhy()
    {
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, ["--memory", "4MiB"]);
        await using var other = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, ["--memory", "4MiB"]);
        var good = await swarm.TokenAsync(MemberRoles.Worker);
        var revoked = await swarm.TokenAsync(MemberRoles.Worker);
        Assert.Equal(0, (await swarm.CommandAsync("token", "revoke", revoked, "--state", swarm.Founder.State)).Code);
        var expired = await swarm.TokenAsync(MemberRoles.Worker, TimeSpan.FromMilliseconds(1));
        await swarm.UntilAsync("the founder has heard of the revocation", async () => await swarm.IsRefusedAsync(revoked));

        await RefusedAsync("none", ExitCode.Usage, "joining takes a token");
        await RefusedAsync("damaged", ExitCode.Failed, "mistyped", "--token", good[..^3] + (good.EndsWith("AAA", StringComparison.Ordinal) ? "BBB" : "AAA"));
        await RefusedAsync("foreign", ExitCode.Failed, "not the machine that the token came from", "--token", await other.TokenAsync(MemberRoles.Worker));
        await RefusedAsync("expired", ExitCode.Failed, "expired", "--token", expired);
        await RefusedAsync("revoked", ExitCode.Failed, "revoked", "--token", revoked);
        Assert.Single((await swarm.Founder.StatusAsync()).Workers);

        async Task RefusedAsync(string name, int expected, string reason, params string[] token)
        {
            var joiner = swarm.Start(name, name, ["join", swarm.FounderAddress, .. token]);
            var code = await joiner.ExitCodeAsync();
            Assert.True(code == expected && joiner.Said.Contains(reason, StringComparison.Ordinal), joiner.Said);
        }
    }

    [Fact]
    public async Task Peer_Revoked_IsOutAndStaysOut()
    {
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, []);
        var http = await swarm.ServingAsync();
        var worker = await swarm.JoinAsync("worker");
        var other = await swarm.JoinAsync("other");
        await swarm.UntilServingAsync(worker);
        await swarm.UntilServingAsync(worker, observer: other);

        var (output, code) = await swarm.CommandAsync("peer", "revoke", worker.Id, "--state", swarm.Founder.State);
        Assert.True(code == 0, output);

        await swarm.UntilAsync("the revoked worker is gone", all => all.Workers.All(one => one.Name != worker.Name));
        await swarm.UntilAsync(other, "the revoked worker is gone", all => all.Workers.All(one => one.Name != worker.Name));
        var traffic = await Traffic.BeginAsync(http, [.. Enumerable.Range(0, 8).Select(static seed => new Story("demo", seed, 50))]);
        await traffic.EndAsync(swarm);

        await worker.KillAsync();
        var again = await swarm.JoinAsync("worker");
        Assert.Equal(ExitCode.Failed, await again.ExitCodeAsync());
        Assert.Contains("revoked", again.Said, StringComparison.Ordinal);
    }
}
