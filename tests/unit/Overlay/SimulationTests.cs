using Parallax.Overlay;
using Parallax.Overlay.Protocol;
using Parallax.Overlay.Records;
using Parallax.Testing.Overlay;

namespace Parallax.UnitTests.Overlay;

/// <summary>Many peers in virtual time. The full form is the program in tests/benchmarks/overlay.</summary>
public sealed class SimulationTests
{
    private static readonly OverlayKey Key = OverlayKey.Of("simulation", "one");
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    [Fact]
    public void Churn_WithLoss_FindsNearlyAll_InFewHops()
    {
        var simulation = OverlayScenarios.Build(new SimulationSetup(1) { Loss = 0.05 }, peers: 200, joinsPerSecond: 20);
        var report = OverlayScenarios.Churn(simulation, sharePerTenMinutes: 0.6, TimeSpan.FromMinutes(2), records: 60, getsPerSecond: 10);
        Assert.True(report.Gets > 500);
        Assert.True(report.FoundShare >= 0.999, $"{report.Found} of {report.Gets} found");
        Assert.Equal((0, 0), (report.Stale, report.Ghosts));
        Assert.True(ScenarioReport.At(report.Hops, 0.5) <= Math.Log2(200));
        Assert.True(report.GhostGets > 0);
    }

    [Fact]
    public void Partition_Heals_EachHalfFindsTheOthers()
    {
        var simulation = OverlayScenarios.Build(new SimulationSetup(2), peers: 60, joinsPerSecond: 20);
        var report = OverlayScenarios.Partition(simulation, TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(2), records: 20, gets: 200);
        Assert.Equal((200, 200), (report.Gets, report.Found));
    }

    [Fact]
    public void SameSeed_SameRun()
    {
        Assert.Equal(Calls(), Calls());

        static long Calls()
        {
            var simulation = OverlayScenarios.Build(new SimulationSetup(3) { Loss = 0.05 }, peers: 30, joinsPerSecond: 20);
            return simulation.Calls;
        }
    }

    [Fact]
    public void ManyPublishers_OneBootstrapAddress_AllFoundByAnybody()
    {
        var simulation = OverlayScenarios.Build(new SimulationSetup(4), peers: 40, joinsPerSecond: 20);
        foreach (var peer in simulation.Alive)
        {
            // Together more than one page.
            simulation.Put(peer, Key, new byte[20_000], Lease, _ => { });
        }

        simulation.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(40, Read(simulation, simulation.Alive[17]).Length);
    }

    [Fact]
    public void KilledPublisher_IsGoneAfterItsLease_AndNoHolderBringsItBack()
    {
        var simulation = OverlayScenarios.Build(new SimulationSetup(5), peers: 40, joinsPerSecond: 20);
        simulation.Put(simulation.Alive[3], Key, [1], Lease, _ => { });
        simulation.RunFor(TimeSpan.FromSeconds(20));
        simulation.Kill(simulation.Alive[3]);
        Assert.Single(Read(simulation, simulation.Alive[0]));
        // Readers cache and holders hand over while peers come.
        for (var i = 0; i < 10; i++)
        {
            simulation.Add();
            Read(simulation, simulation.AnyAlive());
        }

        simulation.RunFor(Lease);
        Assert.All(simulation.Alive, peer => Assert.Empty(Read(simulation, peer)));
    }

    [Fact]
    public void Restart_HigherIncarnation_ReplacesWhatWasPublished_AndNotTheReverse()
    {
        var simulation = OverlayScenarios.Build(new SimulationSetup(6), peers: 30, joinsPerSecond: 20);
        var first = simulation.Alive[3];
        for (var i = 0; i < 5; i++)
        {
            simulation.Put(first, Key, [1], Lease, _ => { });
        }

        simulation.RunFor(TimeSpan.FromSeconds(5));
        simulation.Kill(first);
        var second = simulation.Restart(first, incarnation: 2);
        simulation.RunFor(TimeSpan.FromSeconds(10));
        simulation.Put(second, Key, [2], Lease, _ => { });
        simulation.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(2, Assert.Single(Read(simulation, simulation.Alive[0])).Record.Value.Span[0]);

        simulation.Kill(second);
        var late = simulation.Restart(first, incarnation: 1);
        simulation.RunFor(TimeSpan.FromSeconds(10));
        PutDone? done = null;
        simulation.Put(late, Key, [3], Lease, put => done = put);
        simulation.RunFor(TimeSpan.FromSeconds(5));
        Assert.True(done!.Newer > 0);
        Assert.Equal(2, Assert.Single(Read(simulation, simulation.Alive[0])).Record.Value.Span[0]);
    }

    [Fact]
    public void Remove_HidesTheRecordEverywhere()
    {
        var simulation = OverlayScenarios.Build(new SimulationSetup(7), peers: 30, joinsPerSecond: 20);
        simulation.Put(simulation.Alive[3], Key, [1], Lease, _ => { });
        simulation.RunFor(TimeSpan.FromSeconds(2));
        simulation.Put(simulation.Alive[3], Key, [], Lease, _ => { });
        simulation.RunFor(TimeSpan.FromSeconds(2));
        Assert.All(simulation.Alive, peer => Assert.All(Read(simulation, peer), held => Assert.True(held.Record.IsTombstone)));
    }

    private static HeldRecord[] Read(OverlaySimulation simulation, SimulatedPeer reader)
    {
        HeldRecord[]? found = null;
        simulation.Get(reader, Key, done => found = [.. done.Records]);
        simulation.RunFor(TimeSpan.FromSeconds(3));
        return found ?? throw new InvalidOperationException("a get did not end within 3 s");
    }
}
