using Parallax.Benchmarks.Common;
using Parallax.Hosting;
using Parallax.PipelineBenchmark.Audit;
using Parallax.PipelineBenchmark.Links;
using Parallax.PipelineBenchmark.Processes;
using Parallax.PipelineBenchmark.Simulation;
using Parallax.PipelineBenchmark.Utilisation;
using Parallax.PipelineBenchmark.Writes;

// pipeline-benchmark COMMAND [options]: a model cut over worker processes, measured from a client's side, or simulated.
switch (args.FirstOrDefault())
{
    case "processes":
        return await Measurement.RunAsync(ProcessesCommand.Create(), args[1..]);
    case "links":
        return await Measurement.RunAsync(LinksCommand.Create(), args[1..]);
    case "utilisation":
        return await Measurement.RunAsync(UtilisationCommand.Create(), args[1..]);
    case "audit":
        return await Measurement.RunAsync(AuditCommand.Create(), args[1..]);
    case "writes":
        return await Measurement.RunAsync(WritesCommand.Create(), args[1..]);
    case "simulate":
        return SimulateCommand.Run(args[1..]);
    default:
        Console.Error.WriteLine("Name what to measure: processes, links, utilisation, audit, writes or simulate; --help behind it tells the options.");
        return ExitCode.Usage;
}
