using Parallax.Contracts.V1;
using Parallax.Testing.Members;

namespace Parallax.IntegrationTests.Swarm;

/// <summary>A worker that goes in order, while the swarm answers.</summary>
[Collection(SwarmCollection.Name)]
public sealed class LeaveTests
{
    private static readonly string[] Small = ["--ctx", "512", "--max-batch", "4"];

    [Theory]
    [InlineData("leave")]
    [InlineData("SIGINT")]
    public async Task Leave_UnderLoad_LosesAndChangesNoStream(string how)
    {
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, []);
        var http = await swarm.ServingAsync();
        var traffic = await Traffic.BeginAsync(http, [.. Enumerable.Range(0, 8).Select(static seed => new Story("demo", seed, 150))]);
        var joiner = await swarm.JoinAsync("joiner");
        await swarm.UntilServingAsync(joiner);
        await swarm.UntilAsync("the joiner has sessions", all => JoinTests.Sessions(all, joiner) > 0);

        await AskToLeaveAsync(swarm, joiner, how);

        Assert.Equal(0, await joiner.ExitCodeAsync());
        Assert.DoesNotContain(joiner.Lines, static line => line.Contains("nobody has taken over", StringComparison.Ordinal)); // the founder has the layers, too
        await swarm.UntilAsync("the joiner is gone", all => all.Workers.All(worker => worker.Name != joiner.Name));
        await traffic.FlowsAsync();
        await traffic.EndAsync(swarm);
    }

    [Fact]
    public async Task Leave_OfLayersThatNobodyElseHas_WaitsUntilAnotherServesThem()
    {
        // The founder's worker has no room for a layer; two of the others have it for the model together.
        await using var swarm = await SwarmProcesses.FoundAsync(SwarmProcesses.DemoModel, ["--memory", "4MiB", .. Small]);
        var first = await swarm.JoinAsync("first", options: ["--memory", Half]);
        await swarm.JoinAsync("second", options: ["--memory", Half]);
        var http = await swarm.ServingAsync();
        await swarm.UntilServingAsync(first);
        await swarm.JoinAsync("third", options: ["--memory", Half]);
        await swarm.UntilAsync("a third is there", static all => all.Workers.Any(static worker => worker.Name == "third" && worker.Phase is WorkerPhase.Standby or WorkerPhase.Serving));
        var traffic = await Traffic.BeginAsync(http, [.. Enumerable.Range(0, 4).Select(static seed => new Story("demo", seed, 100))]);

        await AskToLeaveAsync(swarm, first, "leave");

        Assert.Equal(0, await first.ExitCodeAsync());
        await traffic.FlowsAsync();
        await traffic.EndAsync(swarm);
    }

    /// <summary>Memory for a good half of the demo model's layers in a context of 512.</summary>
    internal const string Half = "20MiB";

    private static async Task AskToLeaveAsync(SwarmProcesses swarm, MemberProcess worker, string how)
    {
        if (how == "SIGINT")
        {
            await worker.SignalAsync("-INT");
            return;
        }

        var (output, code) = await swarm.CommandAsync("leave", "--state", worker.State);
        Assert.True(code == 0 && output.Contains(" leaves.", StringComparison.Ordinal), output);
    }
}
