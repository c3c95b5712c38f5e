using Parallax.Runtime;
using Parallax.Runtime.Models;
using Parallax.Testing;

namespace Parallax.PipelineBenchmark.Simulation;

/// <summary>
/// Measures how long parts of a model compute steps of 1 to 64 rows on one thread, and simulates pipelines of such stages.
/// </summary>
internal static class SimulateCommand
{
    public static int Run(string[] args)
    {
        var path = Path.Combine(TestData.RepositoryRoot, "models", "demo");
        if (args is ["--model", var named])
        {
            path = named;
        }
        else if (args.Length > 0)
        {
            Console.Error.WriteLine("usage: simulate [--model PATH]");
            return 2;
        }

        try
        {
            using var model = ModelSource.Open(path);
            var costs = LayerCosts.Measure(model);
            SimulationTable.PrintCosts(model, costs);
            SimulationTable.PrintRings(costs);
            SimulationTable.PrintSharedMachine(costs);
            return 0;
        }
        catch (ParallaxException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }
}
