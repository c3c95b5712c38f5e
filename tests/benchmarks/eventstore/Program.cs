using Parallax.Benchmarks.Common;
using Parallax.EventStoreBenchmark;

// eventstore-benchmark [options]: how many events a second the stores keep, durably.
return await Measurement.RunAsync(AppendCommand.Create(), args);
