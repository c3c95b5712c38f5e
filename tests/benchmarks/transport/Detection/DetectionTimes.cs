using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;
using Parallax.Transport.Liveness;

namespace Parallax.TransportBenchmark.Detection;

/// <summary>
/// How soon a link's handler knows that its peer, another process, was stopped (SIGSTOP) or killed (SIGKILL), with the
/// heartbeats that workers have. Needs a Unix.
/// </summary>
internal static class DetectionTimes
{
    public static async Task<int> RunAsync(int times)
    {
        foreach (var signal in (string[])["STOP", "KILL"])
        {
            var (suspect, dead, unreachable) = (new List<double>(), new List<double>(), new List<double>());
            for (var i = 0; i < times; i++)
            {
                await MeasureAsync(signal, suspect, dead, unreachable);
            }

            Print(signal, "suspect", suspect);
            Print(signal, "down", dead);
            Print(signal, "unreachable", unreachable);
        }

        return 0;
    }

    private static async Task MeasureAsync(string signal, List<double> suspect, List<double> down, List<double> unreachable)
    {
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["serve"])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        try
        {
            var address = (await server.StandardOutput.ReadLineAsync())!.Split(' ')[0];
            var watch = new Watch();
            await using var hub = new LinkHub(
                new LinkOptions { PeerId = BenchmarkPeer.ClientId, Incarnation = 1 }, watch, TimeProvider.System, NullLogger<LinkHub>.Instance);
            var link = hub.Connect(BenchmarkPeer.ServerId, new Uri(address));
            while (link.RoundTrip.Samples < 12)
            {
                await Task.Delay(50); // three seconds of heartbeats, so that their jitter is known
            }

            watch.Start();
            using (var kill = Process.Start("kill", [$"-{signal}", server.Id.ToString(CultureInfo.InvariantCulture)]))
            {
                await kill.WaitForExitAsync();
            }

            unreachable.Add(await watch.Unreachable.Task.WaitAsync(TimeSpan.FromMinutes(1)));
            down.Add(watch.Down);
            if (watch.Suspect > 0)
            {
                suspect.Add(watch.Suspect);
            }
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    private static void Print(string signal, string what, List<double> times)
    {
        times.Sort();
        Console.WriteLine(times.Count == 0
            ? $"SIG{signal}, {what}: never said"
            : string.Create(CultureInfo.InvariantCulture, $"SIG{signal}, {what}: median {times[times.Count / 2]:F1} ms, {times[0]:F1} to {times[^1]:F1} ({times.Count} times)"));
    }

    private sealed class Watch : ILinkHandler
    {
        private long _began;

        public TaskCompletionSource<double> Unreachable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public double Suspect { get; private set; }

        public double Down { get; private set; }

        public void Start() => _began = Stopwatch.GetTimestamp();

        public void OnConnected(Link link, long generation, HelloFrame peer)
        {
            // Connect returned the link.
        }

        public void OnFrame(Link link, long generation, TensorBuffer frame, in FrameHeader header) => frame.Dispose();

        public void OnDisconnected(Link link, long generation, LinkDownReason reason) => Down = Elapsed();

        public void OnLiveness(Link link, PeerLiveness liveness)
        {
            if (liveness == PeerLiveness.Suspect && _began != 0)
            {
                Suspect = Elapsed();
            }
        }

        public void OnUnreachable(Link link, string why) => Unreachable.TrySetResult(Elapsed());

        private double Elapsed() => Stopwatch.GetElapsedTime(_began).TotalMilliseconds;
    }
}
