using System.Runtime.InteropServices;

namespace Parallax.Cli.Chat;

/// <summary>
/// Ctrl-C while an answer runs ends the answer; at any other time it has its usual effect and ends the program.
/// </summary>
internal sealed class AnswerBreaks : IDisposable
{
    private readonly Lock _gate = new(); // guards _current
    private readonly PosixSignalRegistration? _registration;
    private CancellationTokenSource? _current;

    public AnswerBreaks()
        : this(listen: true)
    {
    }

    internal AnswerBreaks(bool listen) =>
        _registration = listen ? PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = TryBreak()) : null;

    /// <summary>A token for one answer; ends with <see cref="End"/>.</summary>
    public CancellationToken Begin()
    {
        lock (_gate)
        {
            _current = new CancellationTokenSource();
            return _current.Token;
        }
    }

    /// <summary>The answer is over, one way or the other.</summary>
    public void End()
    {
        lock (_gate)
        {
            // A source that is being cancelled must not be disposed under its callbacks; it holds nothing but memory.
            if (_current is { IsCancellationRequested: false })
            {
                _current.Dispose();
            }

            _current = null;
        }
    }

    /// <summary>Breaks the running answer; false when there is none, or it has been told already.</summary>
    public bool TryBreak()
    {
        lock (_gate)
        {
            if (_current is null or { IsCancellationRequested: true })
            {
                return false;
            }

            // Its callbacks must not run under the lock, nor hold up the signal.
            _ = _current.CancelAsync();
            return true;
        }
    }

    public void Dispose()
    {
        _registration?.Dispose();
        End();
    }
}
