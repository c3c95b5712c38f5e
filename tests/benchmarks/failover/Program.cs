using System.CommandLine;
using Parallax.Cli;
using Parallax.FailoverBenchmark.Gap;
using Parallax.FailoverBenchmark.Soak;
using Parallax.FailoverBenchmark.Throughput;
using Parallax.Hosting;
using Parallax.Hosting.Commands;

// failover-benchmark COMMAND [options]: real worker and router processes that are killed while they answer.
switch (args.FirstOrDefault())
{
    case "gap":
        return await RunAsync(GapCommand.Create());
    case "throughput":
        return await RunAsync(ThroughputCommand.Create());
    case "soak":
        return await RunAsync(SoakCommand.Create());
    default:
        Console.Error.WriteLine("Name what to measure: gap, throughput or soak; --help behind it tells the options.");
        return ExitCode.Usage;
}

async Task<int> RunAsync(RootCommand command)
{
    try
    {
        return await ServiceCommand.RunAsync(command, args[1..], Console.Error);
    }
    catch (OperationCanceledException)
    {
        // Ctrl-C or SIGTERM; what was started has been stopped on the way here.
        Console.Error.WriteLine("Interrupted; nothing is reported.");
        return Interruption.ExitCode;
    }
}
