using Parallax.Router.Admission;

namespace Parallax.Router.Api;

/// <summary>
/// Stops in this order: become unready and refuse new completions; let running ones end for the drain time; cancel
/// the rest. The server's own stop, which waits for responses to end, comes after.
/// </summary>
internal sealed class RouterStopping(AdmissionGate gate, RouterOptions options, TimeProvider clock) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _cancelling = new();

    /// <summary>Whether the router takes no new completions.</summary>
    public bool IsStopping { get; private set; }

    /// <summary>Cancelled when running completions have to end.</summary>
    public CancellationToken Cancelling => _cancelling.Token;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        IsStopping = true;
        await gate.WhenIdleAsync().WaitAsync(options.DrainTime, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _cancelling.CancelAsync();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _cancelling.Dispose();
}
