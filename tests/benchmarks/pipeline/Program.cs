using Parallax.PipelineBenchmark.Simulation;

// dotnet run -c Release --project tests/benchmarks/pipeline -- simulate [--model PATH]
switch (args.Length > 0 ? args[0] : "")
{
    case "simulate":
        return SimulateCommand.Run(args[1..]);
    default:
        Console.Error.WriteLine("usage: simulate [--model PATH]");
        return 2;
}
