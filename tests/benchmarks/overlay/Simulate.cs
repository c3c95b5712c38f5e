using System.Diagnostics;
using Parallax.Testing.Overlay;

namespace Parallax.OverlayBenchmark;

/// <summary>Churn with loss, and a partition that heals, at several sizes.</summary>
internal static class Simulate
{
    private const double Loss = 0.05;
    private const double ChurnPerTenMinutes = 0.2;

    public static int Run(int[] sizes)
    {
        Print("20 % of peers replaced in 10 minutes, 5 % of messages lost, 10 minutes:");
        Print("| peers | log2 N | hops p50 | p99 | peers asked p50 | found | gets | stale | ghosts | get p50 ms | p99 | calls/peer/s | table | real s |");
        Print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        var isMet = true;
        foreach (var peers in sizes)
        {
            var began = Stopwatch.GetTimestamp();
            var simulation = Build(peers);
            var report = OverlayScenarios.Churn(simulation, ChurnPerTenMinutes, TimeSpan.FromMinutes(10), records: 400, getsPerSecond: 20);
            isMet &= ScenarioReport.At(report.Hops, 0.5) <= Math.Log2(peers) && report.FoundShare >= 0.999;
            Print($"| {peers} | {Math.Log2(peers):F1} | {ScenarioReport.At(report.Hops, 0.5)} | {ScenarioReport.At(report.Hops, 0.99)} | {ScenarioReport.At(report.Asked, 0.5)} "
                + $"| {report.FoundShare:P2} | {report.Gets} | {report.Stale} | {report.Ghosts} of {report.GhostGets} | {ScenarioReport.At(report.Milliseconds, 0.5):F0} "
                + $"| {ScenarioReport.At(report.Milliseconds, 0.99):F0} | {report.CallsPerPeerSecond:F1} | {report.TableSize:F0} | {Stopwatch.GetElapsedTime(began).TotalSeconds:F0} |");
        }

        Print("");
        Print("Two halves apart for 3 minutes, 5 % of messages lost; read by the other half 2 minutes after it healed:");
        Print("| peers | found | gets | table | real s |");
        Print("|---|---|---|---|---|");
        foreach (var peers in sizes)
        {
            var began = Stopwatch.GetTimestamp();
            var simulation = Build(peers);
            var report = OverlayScenarios.Partition(simulation, TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(2), records: 200, gets: 2000);
            isMet &= report.FoundShare >= 0.999;
            Print($"| {peers} | {report.FoundShare:P2} | {report.Gets} | {report.TableSize:F0} | {Stopwatch.GetElapsedTime(began).TotalSeconds:F0} |");
        }

        Print(isMet ? "Targets met: median hops <= log2 N, 99.9 % found." : "TARGETS MISSED: median hops <= log2 N, 99.9 % found.");
        return isMet ? 0 : 1;
    }

    private static OverlaySimulation Build(int peers) =>
        OverlayScenarios.Build(new SimulationSetup(peers) { Loss = Loss }, peers, joinsPerSecond: peers / 60.0);

    private static void Print(string line) => Console.WriteLine(line);
}
