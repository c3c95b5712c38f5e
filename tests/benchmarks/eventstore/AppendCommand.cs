using System.CommandLine;
using System.Globalization;
using Parallax.Benchmarks.Common;
using Parallax.EventStore;
using Parallax.Hosting;
using Parallax.Testing.Servers;

namespace Parallax.EventStoreBenchmark;

/// <summary>Appends to each store from one and from many callers, and prints what they got.</summary>
internal static class AppendCommand
{
    // One event a call from 1, 8 and 32 callers, as routers append; and 64 events a call, as a consumer does that has a backlog.
    private static readonly (int Appenders, int EventsPerCall)[] Loads = [(1, 1), (8, 1), (32, 1), (1, 64), (4, 64)];

    public static RootCommand Create()
    {
        var seconds = new Option<double>("--seconds") { Description = "Seconds of each measurement, after half a second of warming up.", DefaultValueFactory = static _ => 5 };
        var bytes = new Option<int>("--bytes") { Description = "Bytes of an event's payload.", DefaultValueFactory = static _ => 400 };
        var folder = new Option<string>("--folder") { Description = "Where the SQLite file is made: on the disk that is to be measured.", DefaultValueFactory = static _ => Path.GetTempPath() };
        var postgres = new Option<string?>("--postgres") { Description = "Address of a PostgreSQL database of its own; standard: a server is started with its standard settings." };
        var command = new RootCommand("How many events a second the stores keep.") { seconds, bytes, folder, postgres };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var time = TimeSpan.FromSeconds(parsed.GetValue(seconds));
            var size = parsed.GetValue(bytes);
            OptionsException.ThrowIfAny(
                [
                    .. time > TimeSpan.Zero ? (string[])[] : ["--seconds: use more than 0."],
                    .. size is >= 0 and <= EventStoreLimits.MaxAppendBytes / 64 ? (string[])[] : ["--bytes: use 0 to 262144."],
                ]);
            ReportText.WriteHead(Console.Out, $"Appends of events of {size} bytes, {time.TotalSeconds} s each");
            var rows = new List<string[]>();
            await MeasureSqliteAsync(parsed.GetValue(folder)!, time, size, rows, cancellationToken);
            await MeasurePostgresAsync(parsed.GetValue(postgres), time, size, rows, cancellationToken);
            ReportText.WriteTable(Console.Out, ["store", "callers", "events a call", "events/s", "calls/s", "a call (ms) p50 / p99 / max"], rows);
            Console.Out.WriteLine("SQLite: WAL, synchronous=full (each commit is flushed). PostgreSQL: fsync and synchronous_commit as the server has them; on, unless it was changed.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task MeasureSqliteAsync(string parent, TimeSpan time, int bytes, List<string[]> rows, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(parent, $"parallax-eventstore-benchmark-{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        try
        {
            await using var store = EventStores.Open(Path.Combine(folder, "events.db"), TimeProvider.System);
            await MeasureAsync("SQLite", store, time, bytes, rows, cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasurePostgresAsync(string? address, TimeSpan time, int bytes, List<string[]> rows, CancellationToken cancellationToken)
    {
        if (address is not null)
        {
            await using var store = EventStores.Open(address, TimeProvider.System);
            await MeasureAsync("PostgreSQL", store, time, bytes, rows, cancellationToken);
        }
        else if (await PostgresServer.MissingReasonAsync(cancellationToken) is { } missing)
        {
            Console.Out.WriteLine($"PostgreSQL is not measured: {missing}");
        }
        else
        {
            await using var server = await PostgresServer.StartNewAsync(cancellationToken);
            await using var store = EventStores.Open(await server.CreateDatabaseAsync(cancellationToken), TimeProvider.System);
            await MeasureAsync("PostgreSQL", store, time, bytes, rows, cancellationToken);
        }
    }

    private static async Task MeasureAsync(
        string name, IEventStore store, TimeSpan time, int bytes, List<string[]> rows, CancellationToken cancellationToken)
    {
        foreach (var (appenders, eventsPerCall) in Loads)
        {
            await AppendRun.RunAsync(store, appenders, eventsPerCall, bytes, TimeSpan.FromMilliseconds(500), cancellationToken);
            var run = await AppendRun.RunAsync(store, appenders, eventsPerCall, bytes, time, cancellationToken);
            rows.Add(
            [
                name,
                Number(appenders),
                Number(eventsPerCall),
                Number(run.CallsPerSecond * eventsPerCall),
                Number(run.CallsPerSecond),
                string.Join(" / ", new[] { run.Percentile(0.5), run.Percentile(0.99), run.Percentile(1) }.Select(static ms => ms.ToString("0.0", CultureInfo.InvariantCulture))),
            ]);
        }
    }

    private static string Number(double value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
