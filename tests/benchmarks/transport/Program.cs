using System.Globalization;
using Parallax.TransportBenchmark;

// transport-benchmark [frames] [prefill MiB] [--tls]: this process and one that it starts, over loopback.
var words = args.Where(static word => word != "--tls").ToArray();
return words is ["serve", ..]
    ? await EchoServer.RunAsync(words.ElementAtOrDefault(1))
    : await Measurements.RunAsync(
        words.Length > 0 ? int.Parse(words[0], CultureInfo.InvariantCulture) : 100_000,
        words.Length > 1 ? int.Parse(words[1], CultureInfo.InvariantCulture) : 512,
        args.Contains("--tls"));
