using System.Diagnostics;
using System.Globalization;

namespace Parallax.OverlayBenchmark;

/// <summary>Store and get among peers that are processes of this machine, beside what was measured of hivemind's DHT.</summary>
internal static class Loopback
{
    private const int Rounds = 200;
    private const int WarmupRoundsPerPeer = 12;
    private const double TargetMs = 5;
    private const double TargetShare = 0.25; // of hivemind's store

    /// <summary>Between two operations: the second part of a put, beyond the three nearest, goes on behind the caller's back.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(60);

    /// <summary>hivemind's DHT, medians in milliseconds on a machine of the same kind: store, get.</summary>
    private static readonly Dictionary<int, (double Store, double Get)> Hivemind = new()
    {
        [8] = (9, 7),
        [16] = (19, 16),
        [32] = (31, 26),
    };

    public static async Task<int> RunAsync(int[] sizes)
    {
        Print($"{Environment.ProcessorCount} cores; put acknowledged by the three nearest, get of another peer's record; {Rounds} of each, 1 KiB");
        Print($"| peers | put p50 ms | p90 | p99 | hivemind p50 | ratio | get p50 ms | p90 | p99 | hivemind p50 | ratio |");
        Print($"|---|---|---|---|---|---|---|---|---|---|---|");
        var isMet = true;
        foreach (var size in sizes)
        {
            isMet &= await MeasureAsync(size);
        }

        Print(isMet
            ? (FormattableString)$"Targets met: put and get p50 < {TargetMs} ms, put at most {TargetShare:P0} of hivemind's."
            : $"TARGETS MISSED: put and get p50 < {TargetMs} ms, put at most {TargetShare:P0} of hivemind's.");
        return isMet ? 0 : 1;
    }

    private static async Task<bool> MeasureAsync(int size)
    {
        var peers = new List<ChildPeer>();
        try
        {
            for (var i = 0; i < size; i++)
            {
                peers.Add(await ChildPeer.StartAsync(i == 0 ? "" : peers[0].Address));
            }

            var random = new Random(size);
            for (var round = 0; round < WarmupRoundsPerPeer * size; round++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"warm {round % 50}").Replace(' ', '-');
                await peers[round % size].AskAsync($"put {name}");
                await peers[random.Next(size)].AskAsync($"get {name}");
            }

            var (puts, gets) = (new List<double>(Rounds), new List<double>(Rounds));
            for (var round = 0; round < Rounds; round++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"key-{round}");
                var publisher = random.Next(size);
                var reader = (publisher + 1 + random.Next(size - 1)) % size;
                await Task.Delay(Pause);
                var (put, holders) = await peers[publisher].AskAsync($"put {name}");
                await Task.Delay(Pause);
                var (get, found) = await peers[reader].AskAsync($"get {name}");
                if (holders < 3 || found != 1)
                {
                    throw new InvalidOperationException($"A put reached {holders} peers and a get of it found {found} records.");
                }

                puts.Add(put);
                gets.Add(get);
            }

            var (store, read) = Hivemind.GetValueOrDefault(size);
            var (putMedian, getMedian) = (At(puts, 0.5), At(gets, 0.5));
            Print($"| {size} | {putMedian:F2} | {At(puts, 0.9):F2} | {At(puts, 0.99):F2} | {store:F0} | {putMedian / store:F2} | {getMedian:F2} | {At(gets, 0.9):F2} | {At(gets, 0.99):F2} | {read:F0} | {getMedian / read:F2} |");
            return putMedian < TargetMs && getMedian < TargetMs && (store == 0 || putMedian <= store * TargetShare);
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }
    }

    private static double At(List<double> values, double share) => values.Order().ElementAt((int)(share * (values.Count - 1)));

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private sealed class ChildPeer(Process process, string address) : IAsyncDisposable
    {
        public string Address => address;

        public static async Task<ChildPeer> StartAsync(string bootstrap)
        {
            var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, "peer")
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
            await process.StandardInput.WriteLineAsync(bootstrap);
            return new ChildPeer(process, await process.StandardOutput.ReadLineAsync()
                ?? throw new InvalidOperationException("A peer process ended before it said its address."));
        }

        public async Task<(double Milliseconds, int Result)> AskAsync(string command)
        {
            await process.StandardInput.WriteLineAsync(command);
            var parts = (await process.StandardOutput.ReadLineAsync()
                ?? throw new InvalidOperationException($"A peer process ended at '{command}'.")).Split(' ');
            return (double.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
        }

        public async ValueTask DisposeAsync()
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
