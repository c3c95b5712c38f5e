using Parallax.IntegrationTests.Services;
using Parallax.Testing.Members;

namespace Parallax.IntegrationTests.Swarm;

/// <summary>A test's swarm of processes; what they said is told to the test's output, which is shown when it fails.</summary>
internal sealed class SwarmProcesses : ProcessSwarm
{
    private SwarmProcesses(string model, string[] common)
        : base(model, common, TestContext.Current.CancellationToken)
    {
    }

    /// <summary>The bundled model: small and quick.</summary>
    public static string DemoModel => DemoModelFixture.ModelPath;

    /// <summary>Founds a swarm; returns as soon as it is founded, whether or not it serves.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">Of the founder alone.</param>
    /// <param name="common">Of all members, e.g. NATS.</param>
    /// <param name="listen">The founder's IP address.</param>
    public static async Task<SwarmProcesses> FoundAsync(string model, string[] options, string[]? common = null, string listen = "127.0.0.1")
    {
        var swarm = new SwarmProcesses(model, common ?? []);
        await swarm.FoundAsync(options, listen);
        return swarm;
    }

    public override async ValueTask DisposeAsync()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(Said);
        await base.DisposeAsync();
    }
}
