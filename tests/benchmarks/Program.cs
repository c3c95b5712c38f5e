using System.Reflection;
using BenchmarkDotNet.Running;

// dotnet run -c Release --project tests/benchmarks -- --filter '*Linear*' --job short
BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(args);
