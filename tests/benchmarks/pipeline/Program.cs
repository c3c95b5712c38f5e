using System.CommandLine;
using Parallax.Cli;
using Parallax.Hosting;
using Parallax.Hosting.Commands;
using Parallax.PipelineBenchmark.Links;
using Parallax.PipelineBenchmark.Processes;
using Parallax.PipelineBenchmark.Simulation;
using Parallax.PipelineBenchmark.Utilisation;

// pipeline-benchmark COMMAND [options]: a model cut over worker processes, measured from a client's side, or simulated.
switch (args.FirstOrDefault())
{
    case "processes":
        return await RunAsync(ProcessesCommand.Create());
    case "links":
        return await RunAsync(LinksCommand.Create());
    case "utilisation":
        return await RunAsync(UtilisationCommand.Create());
    case "simulate":
        return SimulateCommand.Run(args[1..]);
    default:
        Console.Error.WriteLine("Name what to measure: processes, links, utilisation or simulate; --help behind it tells the options.");
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
