using System.Globalization;
using Parallax.TransportBenchmark;

// transport-benchmark [frames] [prefill MiB]: this process and one that it starts, over loopback.
return args is ["serve"]
    ? await EchoServer.RunAsync()
    : await Measurements.RunAsync(
        args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000,
        args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 512);
