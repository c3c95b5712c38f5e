using System.Runtime.InteropServices;

namespace Parallax.Cli;

/// <summary>
/// Ctrl-C (SIGINT), SIGTERM, SIGHUP and SIGQUIT as a cancellation: the first asks to stop, a second SIGINT or SIGQUIT
/// ends the process at once.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Action<int> _kill;

    public StopSignals()
        : this(Environment.Exit)
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                On(context.Signal);
            }));
        }
    }

    internal StopSignals(Action<int> kill) => _kill = kill;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Asked => _asked.Token;

    /// <summary>Completes with the first signal.</summary>
    public async Task WhenAskedAsync()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = _asked.Token.Register(asked.SetResult);
        await asked.Task;
    }

    public void Dispose()
    {
        _registrations.ForEach(static registration => registration.Dispose());
        _asked.Dispose();
    }

    internal void On(PosixSignal signal)
    {
        // SIGTERM may well come twice, from a shell's group and from a supervisor; only a person at the keyboard repeats
        // Ctrl-C out of impatience.
        if (_asked.IsCancellationRequested && signal is (PosixSignal.SIGINT or PosixSignal.SIGQUIT))
        {
            _kill(Interruption.ExitCode);
            return;
        }

        _asked.Cancel();
    }
}
