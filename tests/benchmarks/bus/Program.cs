using System.CommandLine;
using Parallax.Benchmarks.Common;
using Parallax.BusBenchmark;
using Parallax.Hosting;

// bus-benchmark [--events 20000] [--batches 1,16,256] [--store FILE]: a real RabbitMQ, a real scheduler's consumer, a real store.
var events = new Option<int>("--events") { Description = "Events of each run.", DefaultValueFactory = static _ => 20_000 };
var batches = new Option<string>("--batches") { Description = "Events of one SendAsync, several runs.", DefaultValueFactory = static _ => "1,16,256" };
var senders = new Option<int>("--senders") { Description = "Routers that send at once.", DefaultValueFactory = static _ => 1 };
var store = new Option<string?>("--store") { Description = "Where the consumer stores, as the scheduler's --store names it. Default: a SQLite file in a scratch folder." };
var command = new RootCommand("Audit events from a router's shipper over a real RabbitMQ into the scheduler's event store: events a second, and the time of SendAsync.")
{
    events, batches, senders, store,
};
command.SetAction(async (parsed, stop) =>
{
    int[] sizes = [.. parsed.GetRequiredValue(batches).Split(',').Select(static text => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture))];
    ReportText.WriteHead(Console.Out, $"Audit events over RabbitMQ, {parsed.GetValue(senders)} sender(s)");
    var rows = new List<IReadOnlyList<string>>();
    foreach (var size in sizes)
    {
        rows.Add(await BusRun.MeasureAsync(parsed.GetValue(events), size, parsed.GetValue(senders), parsed.GetValue(store), stop));
    }

    ReportText.WriteTable(Console.Out, BusRun.Head, rows);
    return ExitCode.Ok;
});
return await Measurement.RunAsync(command, args);
