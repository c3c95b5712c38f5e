using System.Globalization;
using Parallax.OverlayBenchmark;

// overlay-benchmark simulate [peers ...]: the protocol in virtual time. overlay-benchmark loopback [peers ...]: real processes.
return args switch
{
    ["peer"] => await PeerProcess.RunAsync(),
    ["simulate", .. var peers] => Simulate.Run(Numbers(peers, [1000, 10_000])),
    ["loopback", .. var peers] => await Loopback.RunAsync(Numbers(peers, [8, 16, 32])),
    _ => Usage(),
};

static int[] Numbers(string[] given, int[] otherwise) =>
    given.Length == 0 ? otherwise : [.. given.Select(number => int.Parse(number, CultureInfo.InvariantCulture))];

static int Usage()
{
    Console.Error.WriteLine("Say what to measure: simulate [peers ...] or loopback [peers ...].");
    return 2;
}
