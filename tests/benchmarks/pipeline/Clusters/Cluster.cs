using System.Globalization;
using Parallax.Testing.Servers;

namespace Parallax.PipelineBenchmark.Clusters;

/// <summary>A router process and its worker processes.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private static readonly TimeSpan ReadyTime = TimeSpan.FromMinutes(3);

    private readonly List<ChildProcess> _children = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-bench-");

    private Cluster(ClusterPlan plan) => Plan = plan;

    public ClusterPlan Plan { get; }

    /// <summary>Where the router listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Where the workers listen, from head to tail.</summary>
    public IReadOnlyList<Uri> Workers { get; private set; } = [];

    /// <summary>Starts everything and waits until the router would answer requests.</summary>
    /// <param name="plan">What to start.</param>
    /// <param name="link">The address under which a worker that listens on a port is dialled by others; null for its own.</param>
    /// <param name="cancellationToken">Gives up; nothing stays behind.</param>
    public static async Task<Cluster> StartAsync(ClusterPlan plan, Func<int, Uri>? link, CancellationToken cancellationToken)
    {
        var cluster = new Cluster(plan);
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(ReadyTime);
            try
            {
                await cluster.StartAsync(link ?? StageLayout.Address, patience.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new ChildException(
                    $"{plan.Name}: not ready after {ReadyTime.TotalMinutes} minutes.{Environment.NewLine}{string.Join(Environment.NewLine, cluster._children.Select(static child => child.Errors()))}");
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Tells at once when a process died, instead of leaving the measurement to a timeout.</summary>
    /// <exception cref="ChildException">One did.</exception>
    public void ThrowIfEnded() => _children.ForEach(static child => child.ThrowIfEnded());

    public async ValueTask DisposeAsync()
    {
        // The router first: it would look for its workers.
        foreach (var child in Enumerable.Reverse(_children))
        {
            await child.DisposeAsync();
        }

        _children.Clear();
        if (_folder.Exists)
        {
            _folder.Delete(recursive: true);
        }
    }

    private async Task StartAsync(Func<int, Uri> link, CancellationToken cancellationToken)
    {
        string[] map = [];
        if (Plan.Stages == 1)
        {
            StartWorker(0, "--port", "0");
        }
        else
        {
            map = ["--stages", Path.Combine(_folder.FullName, "stages.json")];
            var ranges = StageLayout.Split(Plan.Layers, Plan.Stages);
            var ports = ServerPrograms.FreePorts(Plan.Stages);
            StageLayout.Write(map[1], ranges, ports, [.. ports.Select(link)]);
            for (var i = 0; i < ranges.Count; i++)
            {
                StartWorker(i, [.. map, "--id", StageLayout.Id(i)]);
            }
        }

        var workers = new List<Uri>();
        foreach (var worker in _children)
        {
            workers.Add(await worker.AddressAsync(cancellationToken));
        }

        Workers = workers;
        var router = ChildProcess.StartService($"{Plan.Name}: router", "Parallax.Router", [
            "--model", Plan.Model, .. Plan.Stages == 1 ? ["--worker", workers[0].ToString()] : map,
            "--port", "0", "--drain", "0", "--audit", Plan.Audit,
            .. Plan.Audit == "off" ? (string[])[] : ["--audit-folder", Path.Combine(_folder.FullName, "log"), "--audit-store", Path.Combine(_folder.FullName, "audit.db")],
        ]);
        _children.Add(router);
        Address = await router.AddressAsync(cancellationToken);
        await WaitUntilReadyAsync(cancellationToken);
    }

    private void StartWorker(int stage, params string[] arguments) => _children.Add(ChildProcess.StartService(
        $"{Plan.Name}: worker {stage}",
        "Parallax.Worker.Gpu",
        ["--model", Plan.Model, "--threads", Plan.Threads.ToString(CultureInfo.InvariantCulture), "--drain", "0", .. arguments]));

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = Address };
        while (true)
        {
            ThrowIfEnded();
            using var answer = await http.GetAsync("/health/ready", cancellationToken);
            if (answer.IsSuccessStatusCode)
            {
                return;
            }

            await Task.Delay(50, cancellationToken);
        }
    }
}
