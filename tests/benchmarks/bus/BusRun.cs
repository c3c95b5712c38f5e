using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Audit.Outbox;
using Parallax.Bus;
using Parallax.Bus.Audit;
using Parallax.EventStore;
using Parallax.Hosting;
using Parallax.Hosting.Lifetime;
using Parallax.Scheduler;
using Parallax.Testing.Servers;

namespace Parallax.BusBenchmark;

/// <summary>One measurement: some events, cut into sends of one size, from the first send until the last one is stored.</summary>
internal static class BusRun
{
    /// <summary>Streams that are open at once: requests that are under way.</summary>
    private const int Streams = 16;

    /// <summary>What the figures are.</summary>
    public static IReadOnlyList<string> Head { get; } = ["events a send", "events/s sent", "events/s stored", "SendAsync p50 ms", "p99 ms"];

    /// <returns>The figures.</returns>
    public static async Task<IReadOnlyList<string>> MeasureAsync(int count, int size, int senders, string? storePath, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("parallax-bus-benchmark-").FullName;
        try
        {
            await using var broker = await RabbitMqServer.StartNewAsync(stop);
            var bus = $"rabbitmq://{broker.User}@{broker.Host}:{broker.Port}/";
            await using var consumer = await StartConsumerAsync(bus, storePath ?? Path.Combine(folder, "events.db"), stop);
            var store = consumer.Services.GetRequiredService<IEventStore>();
            using var sender = await StartSenderAsync(bus, stop);
            var transport = sender.Services.GetRequiredService<IAuditTransport>();
            var work = Enumerable.Range(0, senders).Select(number => Sends($"{Environment.ProcessId}-{size}-{number}", count / senders, size)).ToList();
            var warmUp = Sends($"{Environment.ProcessId}-{size}-warm", 64, 8);
            var position = 0L;
            await foreach (var one in store.ReadAllAsync(0, stop))
            {
                position = one.Position;
            }

            foreach (var events in warmUp)
            {
                await ShipAsync(transport, events, stop);
            }

            position = await StoredAsync(store, position, 64, stop);
            var startedAt = Stopwatch.GetTimestamp();
            var storing = StoredAsync(store, position, work.Sum(static sends => sends.Sum(static one => one.Length)), stop);
            var times = await Task.WhenAll(work.Select(sends => SendAllAsync(transport, sends, stop)));
            var sent = Stopwatch.GetElapsedTime(startedAt);
            await storing;
            var stored = Stopwatch.GetElapsedTime(startedAt);
            var all = times.SelectMany(static one => one).Order().ToList();
            await sender.StopAsync(stop);
            await consumer.StopAsync(stop);
            return
            [
                size.ToString(CultureInfo.InvariantCulture), Rate(count, sent), Rate(count, stored), Milliseconds(all[all.Count / 2]), Milliseconds(all[all.Count * 99 / 100]),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Rate(int count, TimeSpan time) => (count / time.TotalSeconds).ToString("0", CultureInfo.InvariantCulture);

    private static string Milliseconds(TimeSpan time) => time.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);

    private static List<ImmutableArray<ChainedEvent>> Sends(string name, int count, int size)
    {
        var chains = Enumerable.Range(0, Streams).Select(number => new AuditChain(AuditStreams.Segment($"{name}-{number}", new string('b', 40), 1, number))).ToList();
        var at = TimeProvider.System.GetUtcNow();
        return
        [
            .. Enumerable.Range(0, count)
                .Select(number =>
                {
                    int[] ids = [number, number + 1, number + 2, number + 3];
                    return chains[number % Streams].Append(new TokensEmitted(0, number / Streams, 4, [.. ids], ContentHash.Of(ids, default)), at);
                })
                .Chunk(size)
                .Select(static chunk => chunk.ToImmutableArray()),
        ];
    }

    private static async Task<List<TimeSpan>> SendAllAsync(IAuditTransport transport, List<ImmutableArray<ChainedEvent>> sends, CancellationToken stop)
    {
        var times = new List<TimeSpan>(sends.Count);
        foreach (var events in sends)
        {
            var startedAt = Stopwatch.GetTimestamp();
            await transport.SendAsync(events, stop);
            times.Add(Stopwatch.GetElapsedTime(startedAt));
        }

        return times;
    }

    // The first sends may come before the consumer has made its queue.
    private static async Task ShipAsync(IAuditTransport transport, ImmutableArray<ChainedEvent> events, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await transport.SendAsync(events, stop);
                return;
            }
            catch (BusException)
            {
                await Task.Delay(100, stop);
            }
        }
    }

    private static async Task<long> StoredAsync(IEventStore store, long position, int count, CancellationToken stop)
    {
        await foreach (var one in store.SubscribeAsync(position, stop))
        {
            if (one.Stream.StartsWith(AuditStreams.RequestPrefix, StringComparison.Ordinal) && --count == 0)
            {
                return one.Position;
            }
        }

        throw new OperationCanceledException(stop);
    }

    private static async Task<WebApplication> StartConsumerAsync(string bus, string store, CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults().UseEmbeddedLifetime();
        builder.Logging.ClearProviders();
        builder.AddScheduler(new SchedulerOptions { Port = 0, Bus = bus, StorePath = store });
        var app = builder.Build();
        app.MapScheduler();
        await app.StartAsync(stop);
        return app;
    }

    private static async Task<IHost> StartSenderAsync(string bus, CancellationToken stop)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddParallaxBus(BusOptions.Parse(bus)).AddBusAuditTransport();
        var host = builder.Build();
        await host.StartAsync(stop);
        return host;
    }
}
