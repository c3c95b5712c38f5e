using System.Globalization;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Testing.Members;
using Parallax.Testing.Servers;

namespace Parallax.SwarmBenchmark.Processes;

/// <summary>
/// A founder that computes nothing, and workers of one thread each that join it and tell their metrics. Processes compile each
/// method once and for good, so that one that has just been started need not be warmed up for long.
/// </summary>
internal sealed class MeasuredSwarm : IAsyncDisposable
{
    /// <summary>So long nothing may change before the plan counts as settled.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan ScrapesAreKept = TimeSpan.FromMilliseconds(350); // an exporter answers the same for so long

    private static readonly TimeSpan CacheIsFound = TimeSpan.FromSeconds(5); // workers look for instances every 2 s

    private readonly ProcessSwarm _processes;
    private readonly string[] _workerOptions;
    private readonly bool _withSpares;
    private readonly Dictionary<string, MeasuredWorker> _workers = new(StringComparer.Ordinal);
    private readonly CancellationToken _giveUp;

    private MeasuredSwarm(ProcessSwarm processes, string[] workerOptions, bool withSpares, CancellationToken giveUp) =>
        (_processes, _workerOptions, _withSpares, _giveUp) = (processes, workerOptions, withSpares, giveUp);

    /// <summary>The founder: router and scheduler.</summary>
    public MemberProcess Founder => _processes.Founder;

    /// <summary>The founder's API.</summary>
    public Uri Api { get; private set; } = null!;

    /// <summary>Workers that run.</summary>
    public IReadOnlyCollection<MeasuredWorker> Workers => _workers.Values;

    /// <summary>What all processes said.</summary>
    public string Said => _processes.Said;

    /// <summary>Founds a swarm, deploys the model, and waits until all workers serve.</summary>
    /// <param name="model">The model.</param>
    /// <param name="deploy">Options of <c>parallax swarm deploy</c>.</param>
    /// <param name="workers">How many.</param>
    /// <param name="workerOptions">Options of each.</param>
    /// <param name="common">Options of all members.</param>
    /// <param name="giveUp">Ends all waiting.</param>
    /// <param name="withSpares">Whether the model must be served without any one of the workers, too.</param>
    public static async Task<MeasuredSwarm> StartAsync(
        string model, string[] deploy, int workers, string[] workerOptions, string[] common, CancellationToken giveUp, bool withSpares = false)
    {
        Environment.SetEnvironmentVariable("DOTNET_TieredCompilation", "0"); // children inherit both
        Environment.SetEnvironmentVariable("DOTNET_GCgen0size", "0x1000000"); // as the `parallax` script has it
        var swarm = new MeasuredSwarm(await ProcessSwarm.FoundAsync(model, ["--memory", "4MiB"], common, giveUp), workerOptions, withSpares, giveUp);
        try
        {
            await swarm.StartAsync(model, deploy, workers);
            return swarm;
        }
        catch
        {
            await swarm.DisposeAsync();
            throw;
        }
    }

    /// <summary>A further router.</summary>
    public async Task<Uri> RouterAsync(string name, params string[] options)
    {
        var http = await _processes.RouterAsync(name, options);
        await _processes.ReadyAsync(http);
        return http.BaseAddress!;
    }

    /// <summary>An instance of the KV cache; returns when the workers have had the time to find it.</summary>
    public async Task StartCacheAsync(string memory)
    {
        var cache = _processes.Start(
            "cache", "cache",
            ["kvcache", "--join", _processes.FounderAddress, "--token", await _processes.TokenAsync(MemberRoles.KvCache), "--memory", memory]);
        await cache.LineAsync("kvcache listens on ");
        await Task.Delay(CacheIsFound, _giveUp);
    }

    /// <summary>The worker at an address that a router names.</summary>
    public MeasuredWorker WorkerAt(string authority) => _workers.Values.Single(worker => worker.Process.Address == authority);

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync(MeasuredWorker worker)
    {
        _workers.Remove(worker.Process.Name);
        await worker.Process.KillAsync();
    }

    /// <summary>Starts one that was killed again, under the same identity, and waits until it serves and the plan has settled.</summary>
    public async Task RestartAsync(MeasuredWorker worker)
    {
        var before = (await Founder.StatusAsync()).Workers.Where(record => record.Name == worker.Process.Name).Select(static record => record.Incarnation).DefaultIfEmpty().Max();
        await JoinAsync(worker.Process.Name);
        await _processes.UntilServingAsync(_workers[worker.Process.Name].Process, incarnation: before + 1);
        await SettleAsync();
    }

    /// <summary>Waits until all workers serve, with spares if they are asked for, and nothing has changed for a while.</summary>
    public async Task SettleAsync()
    {
        var (seen, since) = ("", TimeProvider.System.GetTimestamp());
        var what = _withSpares ? "the plan has settled, and the model is served without any one worker, too (that depends on how many there are, and on their memory)" : "the plan has settled";
        await _processes.UntilAsync(what, async () =>
        {
            await Task.Delay(LookEvery, _giveUp);
            var status = await Founder.StatusAsync();
            var now = Shards(status);
            if (now != seen)
            {
                (seen, since) = (now, TimeProvider.System.GetTimestamp());
            }

            return TimeProvider.System.GetElapsedTime(since) >= Settled && now.Split('\n').Length == _workers.Count && !now.Contains('!', StringComparison.Ordinal)
                && (!_withSpares || status.Workers.All(one => IsServed(status.Workers.Where(other => other != one))));
        });
    }

    /// <summary>Whether shards of these lead through all layers.</summary>
    private static bool IsServed(IEnumerable<WorkerRecord> workers)
    {
        var reached = new HashSet<int> { 0 };
        var layers = 0;
        foreach (var model in workers.SelectMany(static worker => worker.Shards).Select(static shard => shard.Model).OrderBy(static model => model.LayerStart))
        {
            layers = model.LayerCount;
            if (reached.Contains(model.LayerStart))
            {
                reached.Add(model.LayerEnd);
            }
        }

        return layers > 0 && reached.Contains(layers);
    }

    /// <summary>Who serves what, a line for each worker.</summary>
    public async Task<string> LayersAsync() => Shards(await Founder.StatusAsync());

    /// <summary>
    /// By how much a counter of the workers that run grows until a token is cancelled, and once more then. An engine's counters go with it
    /// when its layers are moved elsewhere, so it is looked at often, and only what is added counts.
    /// </summary>
    public async Task<double> GrowthAsync(string metric, CancellationToken until)
    {
        MeasuredWorker[] workers = [.. _workers.Values];
        var (before, sum) = (await ReadAllAsync(), 0.0);
        while (true)
        {
            await Task.Delay(LookEvery, until).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (until.IsCancellationRequested)
            {
                await Task.Delay(ScrapesAreKept, _giveUp);
            }

            var now = await ReadAllAsync();
            sum += now.Zip(before, static (after, earlier) => after >= earlier ? after - earlier : after).Sum();
            before = now;
            if (until.IsCancellationRequested)
            {
                return sum;
            }
        }

        Task<double[]> ReadAllAsync() => Task.WhenAll(workers.Select(worker => worker.ReadAsync(metric, _giveUp)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers.Values)
        {
            worker.Dispose();
        }

        await _processes.DisposeAsync();
    }

    private static string Shards(SwarmStatus status) => string.Join('\n', status.Workers.Where(static worker => worker.Name != "founder").OrderBy(static worker => worker.Name, StringComparer.Ordinal).Select(
        static worker => $"{worker.Name}: {string.Join(' ', worker.Shards.Select(static shard => $"{shard.Model.LayerStart}-{shard.Model.LayerEnd}{(shard.State == ShardState.Serving ? "" : "!")}"))}{(worker.Shards.Count == 0 ? "!" : "")}"));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task StartAsync(string model, string[] deploy, int workers)
    {
        var (output, code) = await _processes.CommandAsync(["swarm", "deploy", model, .. deploy, "--state", Founder.State]);
        if (code != 0)
        {
            throw new InvalidOperationException($"deploy failed: {output}");
        }

        foreach (var name in Enumerable.Range(0, workers).Select(static i => $"w{i}"))
        {
            await JoinAsync(name);
        }

        Api = (await _processes.ServingAsync()).BaseAddress!;
        await SettleAsync();
    }

    private async Task JoinAsync(string name)
    {
        var port = ServerPrograms.FreePort();
        var process = await _processes.JoinAsync(name, options: [.. _workerOptions, "--http-port", Text(port)]);
        _workers[name] = new MeasuredWorker(process, port);
    }
}
