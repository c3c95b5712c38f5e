using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Network;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>
/// Worker and router processes of this machine that were started for one purpose and end with it; nobody else's process is
/// ever touched. Thread-safe.
/// </summary>
internal sealed class LocalSwarm : IAsyncDisposable
{
    private static readonly TimeSpan ReadyTime = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-chaos-");
    private readonly ConcurrentQueue<string> _crashes = new();
    private readonly Dictionary<string, WorkerStatsClient> _stats = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock;
    private readonly Action<string>? _onRouterLine;

    private LocalSwarm(SwarmPlan plan, TimeProvider clock, Action<string>? onRouterLine) => (Plan, _clock, _onRouterLine) = (plan, clock, onRouterLine);

    /// <summary>What was started.</summary>
    public SwarmPlan Plan { get; }

    /// <summary>Workers in the order of the plan.</summary>
    public ImmutableArray<ProcessSlot> Workers { get; private set; } = [];

    /// <summary>Routers.</summary>
    public ImmutableArray<ProcessSlot> Routers { get; private set; } = [];

    /// <summary>Where the routers' APIs are.</summary>
    public ImmutableArray<Uri> Addresses { get; private set; } = [];

    /// <summary>The network between the processes; null without relays.</summary>
    public FaultNetwork? Network { get; private set; }

    /// <summary>Processes that ended though nobody had killed them, in words.</summary>
    public IReadOnlyCollection<string> Crashes => _crashes;

    /// <summary>What the processes said, the end of it.</summary>
    public string Said => string.Join(Environment.NewLine, Routers.Concat(Workers).Select(static slot => slot.Said));

    /// <summary>Starts everything and waits until all workers are known to all routers.</summary>
    /// <param name="plan">What to start.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="onRouterLine">Told of each line that a router writes.</param>
    /// <param name="cancellationToken">Gives up; nothing stays behind.</param>
    /// <exception cref="ChaosException">A process failed.</exception>
    public static async Task<LocalSwarm> StartAsync(SwarmPlan plan, TimeProvider clock, Action<string>? onRouterLine, CancellationToken cancellationToken)
    {
        var swarm = new LocalSwarm(plan, clock, onRouterLine);
        try
        {
            await swarm.StartAsync(cancellationToken);
            return swarm;
        }
        catch
        {
            await swarm.DisposeAsync();
            throw;
        }
    }

    /// <summary>The worker of an id.</summary>
    public ProcessSlot Worker(string id) => Workers.First(worker => worker.Id == id);

    /// <summary>How a router is called in the network.</summary>
    public static string RouterName(int router) => string.Create(CultureInfo.InvariantCulture, $"router{router}");

    /// <summary>Who runs and has sessions now.</summary>
    public async Task<IReadOnlyList<WorkerView>> ViewAsync(CancellationToken cancellationToken) =>
        await Task.WhenAll(Plan.Workers.Select(async planned =>
        {
            var isUp = Worker(planned.Id).IsUp;
            var stats = isUp ? await _stats[planned.Id].TryReadAsync(WorkerStatsClient.GlanceTime, cancellationToken) : null;
            return new WorkerView(planned.Id, planned.Stage, isUp, stats?.RunningSessions + stats?.WaitingSessions);
        }));

    /// <summary>A worker's counters; null when it does not answer.</summary>
    public Task<Contracts.V1.WorkerStats?> TryStatsAsync(string id, CancellationToken cancellationToken) =>
        _stats[id].TryReadAsync(WorkerStatsClient.AskTime, cancellationToken);

    /// <summary>Waits until every process that runs is known to the routers, and they can answer.</summary>
    /// <exception cref="ChaosException">That took too long.</exception>
    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(ReadyTime);
        try
        {
            foreach (var slot in Workers.Concat(Routers))
            {
                await slot.SettledAsync(patience.Token);
            }

            foreach (var worker in Workers.Where(static worker => worker.IsUp))
            {
                while (await TryStatsAsync(worker.Id, patience.Token) is not { } stats || stats.ControlStreams < Plan.Routers)
                {
                    await Task.Delay(PollEvery, _clock, patience.Token);
                }
            }

            foreach (var address in Addresses)
            {
                using var http = new HttpClient { BaseAddress = address };
                while (!await IsReadyAsync(http, patience.Token))
                {
                    await Task.Delay(PollEvery, _clock, patience.Token);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ChaosException($"The swarm was not ready after {ReadyTime.TotalMinutes} minutes.{Environment.NewLine}{Said}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Routers first: they would look for their workers.
        foreach (var slot in Routers.Concat(Workers))
        {
            await slot.DisposeAsync();
        }

        foreach (var stats in _stats.Values)
        {
            stats.Dispose();
        }

        if (Network is not null)
        {
            await Network.DisposeAsync();
        }

        if (_folder.Exists)
        {
            _folder.Delete(recursive: true);
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // it has just been killed, or does not listen yet
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var ports = FreePorts.Take(Plan.Workers.Length + Plan.Routers);
        var network = Plan.WithRelays ? new FaultNetwork() : null;
        Network = network;
        var workerMap = Path.Combine(_folder.FullName, "workers.json");
        SwarmMaps.Write(workerMap, Plan.Workers.Select((worker, i) => new SwarmMaps.Entry(worker.Id, worker.Layers, ports[i], ports[i])));
        int[] links = [.. Plan.Workers.Select((worker, i) => network?.AddLinkRelay(worker.Id, ports[i]) ?? ports[i])];

        Workers = [.. Plan.Workers.Select(worker => Slot(worker.Id,
        [
            "worker", "--model", Plan.Model, "--stages", workerMap, "--id", worker.Id, "--drain", "0",
            "--threads", Plan.Threads.ToString(CultureInfo.InvariantCulture),
            .. Plan.Context is { } context ? new[] { "--ctx", context.ToString(CultureInfo.InvariantCulture) } : [],
            .. Plan.WorkerOptions,
        ], onLine: null))];
        for (var i = 0; i < Workers.Length; i++)
        {
            _stats.Add(Workers[i].Id, new WorkerStatsClient(SwarmMaps.Address(ports[i]), _clock));
        }

        var routers = new List<ProcessSlot>();
        var addresses = new List<Uri>();
        for (var router = 0; router < Plan.Routers; router++)
        {
            var name = RouterName(router);
            var map = Path.Combine(_folder.FullName, $"{name}.json");
            SwarmMaps.Write(map, Plan.Workers.Select((worker, i) => new SwarmMaps.Entry(
                worker.Id, worker.Layers, network?.AddRelay(worker.Id, ports[i], name) ?? ports[i], links[i])));
            var port = ports[Plan.Workers.Length + router];
            addresses.Add(SwarmMaps.Address(port));
            routers.Add(Slot(name,
            [
                "router", "--model", Plan.Model, "--stages", map, "--port", port.ToString(CultureInfo.InvariantCulture),
                "--audit", "off", "--drain", "0", .. Plan.RouterOptions,
            ], _onRouterLine));
        }

        (Routers, Addresses) = ([.. routers], [.. addresses]);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(ReadyTime);
        await Task.WhenAll(Plan.Workers.Where(static worker => !worker.IsAbsent).Select(worker => Worker(worker.Id))
            .Concat(Routers).Select(slot => slot.StartAsync(patience.Token)));
        await ReadyAsync(cancellationToken);
    }

    private ProcessSlot Slot(string id, IReadOnlyList<string> arguments, Action<string>? onLine) =>
        new(id, arguments, _clock, onLine, _crashes.Enqueue);
}
