using Parallax.Router;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Parallax.Testing;
using Parallax.Worker.Gpu;

namespace Parallax.IntegrationTests.Services;

/// <summary>Router and worker with the real engine and the bundled model, started once for a class of tests.</summary>
public sealed class DemoModelFixture : IAsyncLifetime
{
    private TestCluster? _cluster;
    private LocalEngine? _engine;

    internal TestCluster Cluster => _cluster!;

    internal LocalEngine Engine => _engine!;

    public static string ModelPath => Path.Combine(TestData.RepositoryRoot, "models", "demo");

    public async ValueTask InitializeAsync()
    {
        _engine = WorkerEngine.Load(new WorkerOptions { Model = ModelPath }, new TokenSamplerFactory());
        _cluster = await TestCluster.StartAsync(RouterModel.Load(ModelPath), _engine.Engine, _engine.Spec.Layers.Length);
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }
    }
}
