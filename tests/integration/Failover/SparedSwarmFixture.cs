using Parallax.Cli.Chaos.Processes;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Failover;

/// <summary>The demo model over three stages, two workers for each, relays between all; started once for a class of tests.</summary>
public sealed class SparedSwarmFixture : IAsyncLifetime
{
    private BrokenSwarm? _swarm;

    internal BrokenSwarm Swarm => _swarm!;

    public async ValueTask InitializeAsync() =>
        _swarm = await BrokenSwarm.StartAsync(SwarmPlan.Cut(DemoModelFixture.ModelPath, stages: 3, spares: 1) with { WithRelays = true });

    public async ValueTask DisposeAsync()
    {
        if (_swarm is not null)
        {
            await _swarm.DisposeAsync();
        }
    }
}
