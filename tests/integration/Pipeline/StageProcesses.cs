using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Parallax.IntegrationTests.Services;
using Parallax.IntegrationTests.Transport;
using Parallax.Testing.Servers;

namespace Parallax.IntegrationTests.Pipeline;

/// <summary>
/// The demo model over three worker processes and a router process by a map of stages; the links between the workers lead
/// through proxies that can be cut.
/// </summary>
internal sealed class StageProcesses : IAsyncDisposable
{
    private static readonly int[] Bounds = [0, 3, 6, 8];

    private readonly List<ServiceProcess> _workers = [];
    private readonly IReadOnlyList<int> _ports;
    private readonly string _map = Path.GetTempFileName();
    private ServiceProcess? _router;

    private StageProcesses()
    {
        _ports = ServerPrograms.FreePorts(Bounds.Length - 1);
        Proxies = [.. _ports.Select(static port => new FaultyProxy(port))];
        File.WriteAllText(_map, JsonSerializer.Serialize(new
        {
            workers = _ports.Select((port, i) => new
            {
                id = Id(i),
                address = $"http://127.0.0.1:{port}",
                layers = new[] { Bounds[i], Bounds[i + 1] },
                links = Proxies[i].Address.GetLeftPart(UriPartial.Authority),
            }),
        }));
    }

    /// <summary>Before each worker, on the way that other workers take to it.</summary>
    public IReadOnlyList<FaultyProxy> Proxies { get; }

    public HttpClient Http { get; private set; } = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<StageProcesses> StartAsync()
    {
        var processes = new StageProcesses();
        try
        {
            for (var i = 0; i < processes._ports.Count; i++)
            {
                processes._workers.Add(processes.StartWorker(i));
            }

            await Task.WhenAll(processes._workers.Select(static worker => worker.AddressAsync()));
            processes._router = new ServiceProcess(
                "Parallax.Router", "--stages", processes._map, "--model", DemoModelFixture.ModelPath, "--port", "0", "--audit", "off", "--drain", "0");
            processes.Http = new HttpClient { BaseAddress = await processes._router.AddressAsync() };
            await processes.ReadyAsync();
            return processes;
        }
        catch
        {
            await processes.DisposeAsync();
            throw;
        }
    }

    public Task ReadyAsync() => WaitForAsync(Http, HttpStatusCode.OK);

    public static async Task WaitForAsync(HttpClient http, HttpStatusCode status)
    {
        while (true)
        {
            using var response = await http.GetAsync("/health/ready", Token);
            if (response.StatusCode == status)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), Token);
        }
    }

    /// <summary>Kills a worker and starts it again under its id.</summary>
    public async Task ReplaceAsync(int stage)
    {
        await _workers[stage].SignalAsync("-KILL");
        await _workers[stage].ExitCodeAsync();
        await WaitForAsync(Http, HttpStatusCode.ServiceUnavailable);
        await _workers[stage].DisposeAsync();
        _workers[stage] = StartWorker(stage);
        await _workers[stage].AddressAsync();
    }

    public Task<HttpResponseMessage> AskAsync(string question, string fields) => AskAsync(Http, question, fields);

    public static Task<HttpResponseMessage> AskAsync(HttpClient http, string question, string fields)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(
                "{" + $"\"model\": \"demo\", \"stream\": true, \"messages\": [{{\"role\": \"user\", \"content\": \"{question}\"}}], {fields}" + "}",
                Encoding.UTF8,
                "application/json"),
        };
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (_router is not null)
        {
            await _router.DisposeAsync();
        }

        foreach (var worker in _workers)
        {
            await worker.DisposeAsync();
        }

        foreach (var proxy in Proxies)
        {
            await proxy.DisposeAsync();
        }

        File.Delete(_map);
    }

    private static string Id(int stage) => "stage-" + stage.ToString(CultureInfo.InvariantCulture);

    private ServiceProcess StartWorker(int stage) =>
        new("Parallax.Worker.Gpu", "--model", DemoModelFixture.ModelPath, "--stages", _map, "--id", Id(stage), "--threads", "1");
}
