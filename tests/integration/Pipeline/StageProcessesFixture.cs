using System.Net;
using Parallax.IntegrationTests.Services;

namespace Parallax.IntegrationTests.Pipeline;

/// <summary>The demo model over three processes, and whole in one, started once for a class of tests.</summary>
public sealed class StageProcessesFixture : IAsyncLifetime
{
    private ServiceProcess? _worker;
    private ServiceProcess? _router;
    private HttpClient? _whole;
    private StageProcesses? _stages;

    internal StageProcesses Stages => _stages!;

    internal HttpClient Whole => _whole!;

    public async ValueTask InitializeAsync()
    {
        _worker = new ServiceProcess("Parallax.Worker.Gpu", "--model", DemoModelFixture.ModelPath, "--port", "0", "--threads", "1");
        var address = await _worker.AddressAsync();
        _router = new ServiceProcess(
            "Parallax.Router", "--worker", address.ToString(), "--model", DemoModelFixture.ModelPath, "--port", "0", "--audit", "off", "--drain", "0");
        _whole = new HttpClient { BaseAddress = await _router.AddressAsync() };
        _stages = await StageProcesses.StartAsync();
        await StageProcesses.WaitForAsync(_whole, HttpStatusCode.OK);
    }

    public async ValueTask DisposeAsync()
    {
        _whole?.Dispose();
        foreach (var disposable in new IAsyncDisposable?[] { _stages, _router, _worker })
        {
            if (disposable is not null)
            {
                await disposable.DisposeAsync();
            }
        }
    }
}
