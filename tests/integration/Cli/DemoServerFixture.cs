namespace Parallax.IntegrationTests.Cli;

/// <summary>The bundled model served by <c>parallax run</c> in f32 residuals, started once for a class of tests.</summary>
public sealed class DemoServerFixture : IAsyncLifetime
{
    private RunningServer? _server;

    internal RunningServer Server => _server!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync("--residual", "f32");

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
