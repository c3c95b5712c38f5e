using Parallax.Benchmarks.Common;
using Parallax.FailoverBenchmark.Gap;
using Parallax.FailoverBenchmark.Soak;
using Parallax.FailoverBenchmark.Throughput;
using Parallax.Hosting;

// failover-benchmark COMMAND [options]: real worker and router processes that are killed while they answer.
switch (args.FirstOrDefault())
{
    case "gap":
        return await Measurement.RunAsync(GapCommand.Create(), args[1..]);
    case "throughput":
        return await Measurement.RunAsync(ThroughputCommand.Create(), args[1..]);
    case "soak":
        return await Measurement.RunAsync(SoakCommand.Create(), args[1..]);
    default:
        Console.Error.WriteLine("Name what to measure: gap, throughput or soak; --help behind it tells the options.");
        return ExitCode.Usage;
}
