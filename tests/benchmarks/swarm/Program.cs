using System.CommandLine;
using Parallax.Benchmarks.Common;
using Parallax.SwarmBenchmark.Prefixes;
using Parallax.SwarmBenchmark.Restore;

// swarm-benchmark COMMAND [options]: swarms of real processes that found, join, and place their layers themselves.
RootCommand? command = args switch
{
    ["restore", ..] => RestoreCommand.Create(),
    ["prefixes", ..] => PrefixesCommand.Create(),
    _ => null,
};
if (command is null)
{
    Console.Error.WriteLine("usage: swarm-benchmark restore|prefixes [options]; each has --help");
    return 2;
}

return await Measurement.RunAsync(command, args[1..]);
