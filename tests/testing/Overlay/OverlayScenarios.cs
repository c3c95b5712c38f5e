using System.Globalization;
using System.Text;
using Parallax.Overlay;

namespace Parallax.Testing.Overlay;

/// <summary>What happens to a simulated overlay, and how it fares.</summary>
internal static class OverlayScenarios
{
    private static readonly TimeSpan ShortLease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongLease = TimeSpan.FromHours(1);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3); // an answer may be on its way

    /// <summary>Peers that join one after the other, each through one that is there.</summary>
    public static OverlaySimulation Build(SimulationSetup setup, int peers, double joinsPerSecond)
    {
        var simulation = new OverlaySimulation(setup);
        for (var i = 0; i < peers; i++)
        {
            simulation.Add();
            simulation.RunFor(TimeSpan.FromSeconds(1 / joinsPerSecond));
        }

        simulation.RunFor(TimeSpan.FromSeconds(60));
        return simulation;
    }

    /// <summary>
    /// Peers leave without a word and others join, a share of all per ten minutes. Half of the records have a lease of 30 s
    /// and are renewed by their publisher as long as it lives; the others are published once for an hour.
    /// </summary>
    public static ScenarioReport Churn(OverlaySimulation simulation, double sharePerTenMinutes, TimeSpan duration, int records, double getsPerSecond)
    {
        var report = Watch(simulation);
        var published = PublishAll(simulation, records);
        var end = simulation.Now + duration;
        var before = simulation.Calls;
        var pause = TimeSpan.FromMinutes(10) / (sharePerTenMinutes * report.Peers);
        void ChurnOnce()
        {
            if (simulation.Now < end)
            {
                var leaves = simulation.AnyAlive();
                simulation.Kill(leaves);
                foreach (var record in published.Where(record => record.Publisher == leaves))
                {
                    record.GoneAt = simulation.Now;
                }

                simulation.Add();
                (report.Left, report.Joined) = (report.Left + 1, report.Joined + 1);
                simulation.After(pause * (2 * simulation.Random.NextDouble()), ChurnOnce);
            }
        }

        void GetOnce()
        {
            if (simulation.Now < end)
            {
                GetAny(simulation, published, report);
                simulation.After(TimeSpan.FromSeconds(1 / getsPerSecond), GetOnce);
            }
        }

        ChurnOnce();
        GetOnce();
        simulation.RunFor(duration);
        report.CallsPerPeerSecond = (simulation.Calls - before) / duration.TotalSeconds / simulation.Alive.Count;
        simulation.RunFor(TimeSpan.FromSeconds(20));
        report.TableSize = simulation.Alive.Average(static peer => peer.Core.Table.Count);
        return report;
    }

    /// <summary>
    /// Two halves that do not hear each other for a while, in which each publishes. Then they do: after
    /// <paramref name="healing"/> each half must find what the other has published.
    /// </summary>
    public static ScenarioReport Partition(OverlaySimulation simulation, TimeSpan apart, TimeSpan healing, int records, int gets)
    {
        var report = Watch(simulation);
        foreach (var peer in simulation.Alive)
        {
            peer.Side = simulation.Random.Next(2);
        }

        simulation.IsParted = true;
        simulation.RunFor(TimeSpan.FromSeconds(30));
        var published = PublishAll(simulation, records);
        simulation.RunFor(apart - TimeSpan.FromSeconds(30));
        simulation.IsParted = false;
        simulation.RunFor(healing);
        for (var i = 0; i < gets; i++)
        {
            var record = published[i % published.Count];
            var others = simulation.Alive.Where(peer => peer.Side != record.Publisher.Side).ToList();
            Get(simulation, others[simulation.Random.Next(others.Count)], record, report);
            simulation.RunFor(TimeSpan.FromMilliseconds(50));
        }

        simulation.RunFor(TimeSpan.FromSeconds(20));
        report.TableSize = simulation.Alive.Average(static peer => peer.Core.Table.Count);
        return report;
    }

    private static ScenarioReport Watch(OverlaySimulation simulation)
    {
        var report = new ScenarioReport { Peers = simulation.Alive.Count };
        simulation.LookupEnded = lookup =>
        {
            if (lookup.Kind == "get")
            {
                report.Hops.Add(lookup.Hops);
                report.Asked.Add(lookup.Asked);
            }
        };
        return report;
    }

    private static List<PublishedRecord> PublishAll(OverlaySimulation simulation, int records)
    {
        var published = new List<PublishedRecord>(records);
        for (var i = 0; i < records; i++)
        {
            var lease = i % 2 == 0 ? ShortLease : LongLease;
            var name = string.Create(CultureInfo.InvariantCulture, $"record {simulation.Now.Ticks} {i}");
            var record = new PublishedRecord(simulation.AnyAlive(), OverlayKey.Of("simulation", name), lease);
            published.Add(record);
            simulation.Put(record.Publisher, record.Key, Encoding.UTF8.GetBytes(name), lease, _ => record.IsStored = true);
            simulation.RunFor(TimeSpan.FromMilliseconds(10));
        }

        simulation.RunFor(TimeSpan.FromSeconds(20));
        return published;
    }

    private static void GetAny(OverlaySimulation simulation, List<PublishedRecord> published, ScenarioReport report)
    {
        // A peer that has not joined yet knows nobody to ask.
        var reader = simulation.AnyAlive();
        if (reader.Core.HasJoined)
        {
            Get(simulation, reader, published[simulation.Random.Next(published.Count)], report);
        }
    }

    private static void Get(OverlaySimulation simulation, SimulatedPeer reader, PublishedRecord record, ScenarioReport report)
    {
        // What is renewed lives while its publisher does; what is not, for its lease.
        var isGone = record.Lease == ShortLease && record.GoneAt is not null;
        if (!record.IsStored || (isGone && simulation.Now < record.GoneAt + ShortLease + Grace))
        {
            return;
        }

        var began = simulation.Now;
        simulation.Get(reader, record.Key, done =>
        {
            if (record.GoneAt is { } gone && record.Lease == ShortLease)
            {
                if (isGone)
                {
                    report.GhostGets++;
                    report.Ghosts += done.Records.IsEmpty ? 0 : 1;
                }

                return;
            }

            report.Gets++;
            report.Found += done.Records.IsEmpty ? 0 : 1;
            report.Milliseconds.Add((simulation.Now - began).TotalMilliseconds);
            // An acknowledged renewal must be seen by whoever reads later.
            if (!done.Records.IsEmpty && done.Records[0].Remaining < record.Lease - (record.Lease / 3) - Grace && record.Lease == ShortLease)
            {
                report.Stale++;
            }
        });
    }

    private sealed class PublishedRecord(SimulatedPeer publisher, OverlayKey key, TimeSpan lease)
    {
        public SimulatedPeer Publisher => publisher;

        public OverlayKey Key => key;

        public TimeSpan Lease => lease;

        public bool IsStored { get; set; }

        public TimeSpan? GoneAt { get; set; }
    }
}
