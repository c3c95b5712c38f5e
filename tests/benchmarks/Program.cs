using BenchmarkDotNet.Running;

// dotnet run -c Release --project tests/benchmarks -- --filter '*Linear*' --job short
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
