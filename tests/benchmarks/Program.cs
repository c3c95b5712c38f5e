using System.Reflection;
using BenchmarkDotNet.Running;
using Parallax.Benchmarks.Placement;

// Parallax.Benchmarks placement: a table of placement's times; it takes a minute.
if (args is ["placement"])
{
    PlacementSpeed.Run(Console.Out);
    return;
}

// dotnet run -c Release --project tests/benchmarks -- --filter '*Linear*' --job short
BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(args);
