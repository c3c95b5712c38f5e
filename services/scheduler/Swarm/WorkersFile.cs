using System.Collections.Immutable;
using Google.Protobuf;
using Parallax.Contracts.V1;
using Parallax.Hosting;

namespace Parallax.Scheduler.Swarm;

/// <summary>
/// Workers written by hand in a JSON file, in place of a swarm: an array of WorkerRecords in protobuf's JSON form. The file is read
/// again when it has changed; while it cannot be read, what it said before holds.
/// </summary>
internal sealed partial class WorkersFile(string path, TimeProvider clock, ILogger<WorkersFile> logger) : BackgroundService, ISwarmObserver
{
    private const int MostBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private (DateTime, long) _stamp = Stamp(path); // before the file is read, so that no change is missed
    private volatile ImmutableHolder _current = new(Read(path));
    private TaskCompletionSource _changed = New();

    public ImmutableArray<ObservedWorker> Current => _current.Workers;

    public Task Changed => Volatile.Read(ref _changed).Task;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var stamp = Stamp(path);
                if (stamp == _stamp)
                {
                    continue;
                }

                _stamp = stamp;
                try
                {
                    _current = new ImmutableHolder(Read(path));
                    Interlocked.Exchange(ref _changed, New()).SetResult();
                    LogRead(path, _current.Workers.Length);
                }
                catch (OptionsException problem)
                {
                    LogUnreadable(problem.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The scheduler stops.
        }
    }

    private static ImmutableArray<ObservedWorker> Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MostBytes)
            {
                throw new OptionsException([$"--workers: '{path}' is larger than {MostBytes / 1024 / 1024} MiB."]);
            }

            using var json = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(path));
            return
            [
                .. json.RootElement.EnumerateArray().Select(static record =>
                    new ObservedWorker(JsonParser.Default.Parse<WorkerRecord>(record.GetRawText()), Freshness.Live)),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Text.Json.JsonException or InvalidProtocolBufferException or InvalidOperationException)
        {
            throw new OptionsException([$"--workers: '{path}' cannot be read as a JSON array of worker records: {e.Message}"]);
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static (DateTime, long) Stamp(string path) => new FileInfo(path) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : default;

    [LoggerMessage(40, LogLevel.Information, "{Path} now names {Count} workers")]
    private partial void LogRead(string path, int count);

    [LoggerMessage(41, LogLevel.Warning, "The workers stay as they were. {Problem}")]
    private partial void LogUnreadable(string problem);

    private sealed record ImmutableHolder(ImmutableArray<ObservedWorker> Workers);
}
