using System.CommandLine;
using Parallax.Benchmarks.Common;
using Parallax.Hosting;
using Parallax.KvCacheBenchmark;

// kvcache-benchmark [--mib 512] [--streams 1,2,4] [--parts 65536,1048576]: this process, and an instance that it starts, over loopback with mutual TLS.
if (args is ["serve", var folder])
{
    return await CacheServer.RunAsync(folder);
}

var mib = new Option<int>("--mib") { Description = "MiB put and fetched in each run.", DefaultValueFactory = static _ => 512 };
var streams = new Option<string>("--streams") { Description = "Calls at once, several runs.", DefaultValueFactory = static _ => "1,2,4" };
var parts = new Option<string>("--parts") { Description = "Bytes of a part, several runs.", DefaultValueFactory = static _ => "65536,1048576" };
var lookups = new Option<int>("--lookups") { Description = "Questions of each kind.", DefaultValueFactory = static _ => 2000 };
var command = new RootCommand("The KV cache over loopback: bytes a second of puts and gets, the time of a question, and the store by itself.") { mib, streams, parts, lookups };
command.SetAction(async (parsed, stop) =>
{
    ReportText.WriteHead(Console.Out, "KV cache: one instance in another process, mutual TLS over loopback");
    using var swarm = await BenchmarkSwarm.FoundAsync();
    using var server = await ServerProcess.StartAsync(swarm);
    using var client = swarm.CreateClient(server.Address);
    var rows = new List<IReadOnlyList<string>>();
    foreach (var size in Numbers(parsed.GetRequiredValue(parts)))
    {
        foreach (var count in Numbers(parsed.GetRequiredValue(streams)))
        {
            rows.Add(await Transfers.MeasureAsync(client, server, size, count, (long)parsed.GetValue(mib) << 20, stop));
        }
    }

    ReportText.WriteTable(Console.Out, Transfers.Head, rows);
    ReportText.WriteTable(Console.Out, Lookups.Head, await Lookups.MeasureAsync(client, parsed.GetValue(lookups), stop));
    ReportText.WriteTable(Console.Out, StoreAlone.Head, await StoreAlone.MeasureAsync((long)parsed.GetValue(mib) << 20));
    return ExitCode.Ok;

    static IEnumerable<int> Numbers(string text) => text.Split(',').Select(static one => int.Parse(one, System.Globalization.CultureInfo.InvariantCulture));
});
return await Measurement.RunAsync(command, args);
