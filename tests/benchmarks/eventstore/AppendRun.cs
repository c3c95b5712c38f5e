using System.Collections.Immutable;
using Parallax.EventStore;

namespace Parallax.EventStoreBenchmark;

/// <summary>Callers that append one after the other for a time, each to a stream of its own with the version that it knows.</summary>
internal sealed class AppendRun
{
    private readonly List<double> _milliseconds;
    private readonly double _seconds;

    private AppendRun(List<double> milliseconds, double seconds)
    {
        milliseconds.Sort();
        _milliseconds = milliseconds;
        _seconds = seconds;
    }

    public double CallsPerSecond => _milliseconds.Count / _seconds;

    public double Percentile(double share) => _milliseconds[Math.Min(_milliseconds.Count - 1, (int)(share * _milliseconds.Count))];

    public static async Task<AppendRun> RunAsync(
        IEventStore store, int appenders, int eventsPerCall, int bytes, TimeSpan time, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        var runs = await Task.WhenAll(Enumerable.Range(0, appenders).Select(seed => Task.Run(
            () => AppendAsync(store, eventsPerCall, Payload(bytes, seed), began, time, cancellationToken), cancellationToken)));
        return new AppendRun([.. runs.SelectMany(static run => run)], TimeProvider.System.GetElapsedTime(began).TotalSeconds);
    }

    private static async Task<List<double>> AppendAsync(
        IEventStore store, int eventsPerCall, byte[] payload, long began, TimeSpan time, CancellationToken cancellationToken)
    {
        var stream = $"benchmark-{Guid.CreateVersion7()}";
        var milliseconds = new List<double>();
        for (long version = 0; TimeProvider.System.GetElapsedTime(began) < time; version += eventsPerCall)
        {
            ImmutableArray<NewEvent> events = [.. Enumerable.Range(0, eventsPerCall).Select(_ => new NewEvent(Guid.CreateVersion7(), "TokensEmitted", payload))];
            var called = TimeProvider.System.GetTimestamp();
            if (await store.AppendAsync(stream, version, events, cancellationToken) is not AppendResult.Appended { IsRepeat: false })
            {
                throw new InvalidOperationException($"an append to {stream} at {version} was not taken");
            }

            milliseconds.Add(TimeProvider.System.GetElapsedTime(called).TotalMilliseconds);
        }

        return milliseconds;
    }

    private static byte[] Payload(int bytes, int seed)
    {
        var payload = new byte[bytes];
        new Random(seed).NextBytes(payload); // nothing that a store could make smaller
        return payload;
    }
}
