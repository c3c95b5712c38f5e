using Parallax.Hosting;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>A place in the swarm and the process that fills it now: the same id and port at each start. Thread-safe.</summary>
internal sealed class ProcessSlot : IAsyncDisposable
{
    private const int PortTries = 30;
    private static readonly TimeSpan AfterCrash = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<string> _arguments;
    private readonly Action<string>? _onLine;
    private readonly Action<string> _onCrash;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _lock = new(); // guards what follows
    private readonly List<Task> _tasks = [];
    private ChildProcess? _process;
    private bool _isUp;

    /// <param name="id">Its id.</param>
    /// <param name="arguments">Of <c>parallax</c>.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="onLine">Told of each line that its processes write.</param>
    /// <param name="onCrash">Told of a process that ended though nobody had killed it, and of one that did not come back.</param>
    public ProcessSlot(string id, IReadOnlyList<string> arguments, TimeProvider clock, Action<string>? onLine, Action<string> onCrash)
    {
        (Id, _arguments, _clock, _onLine, _onCrash) = (id, arguments, clock, onLine, onCrash);
    }

    /// <summary>Its id.</summary>
    public string Id { get; }

    /// <summary>Whether its process serves, as far as is known.</summary>
    public bool IsUp
    {
        get
        {
            lock (_lock)
            {
                return _isUp;
            }
        }
    }

    /// <summary>Its process; null before the first start.</summary>
    public ChildProcess? Process
    {
        get
        {
            lock (_lock)
            {
                return _process;
            }
        }
    }

    /// <summary>What its process said, the end of it.</summary>
    public string Said => Process?.Said ?? $"--- {Id}: not started";

    /// <summary>Starts a process and waits until it serves.</summary>
    /// <exception cref="ChaosException">It ended before that.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var process = new ChildProcess(Id, _arguments, _onLine);
        ChildProcess? before;
        lock (_lock)
        {
            (before, _process) = (_process, process);
        }

        if (before is not null)
        {
            await before.DisposeAsync();
        }

        await process.AddressAsync(cancellationToken);
        lock (_lock)
        {
            _isUp = true;
            _tasks.RemoveAll(static task => task.IsCompleted);
            _tasks.Add(WatchAsync(process));
        }
    }

    /// <summary>Kills the process.</summary>
    /// <param name="restartAfter">When it is started again, in the background; null: not.</param>
    /// <returns>When it was killed, as a timestamp of the clock.</returns>
    public long Kill(TimeSpan? restartAfter)
    {
        lock (_lock)
        {
            _isUp = false;
            var at = _clock.GetTimestamp();
            _process?.Kill();
            if (restartAfter is { } after)
            {
                _tasks.Add(RestartAsync(after));
            }

            return at;
        }
    }

    /// <summary>Completes when no restart is on its way.</summary>
    public async Task SettledAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task[] restarts;
            lock (_lock)
            {
                if (_isUp || _tasks.TrueForAll(static task => task.IsCompleted))
                {
                    return;
                }

                restarts = [.. _tasks];
            }

            await Task.WhenAny(restarts.Append(Task.Delay(50, cancellationToken))).WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        Task[] tasks;
        ChildProcess? process;
        lock (_lock)
        {
            (tasks, process) = ([.. _tasks], _process);
        }

        if (process is not null)
        {
            await process.DisposeAsync();
        }

        await Task.WhenAll(tasks);
        if (Process is { } last)
        {
            await last.DisposeAsync(); // one that a restart had begun meanwhile
        }

        _closing.Dispose();
    }

    private async Task WatchAsync(ChildProcess process)
    {
        var code = await process.Ended;
        if (process.WasKilled)
        {
            return;
        }

        _onCrash($"{Id} ended by itself with code {code}.{Environment.NewLine}{process.Said}");
        lock (_lock)
        {
            _isUp = false;
            _tasks.Add(RestartAsync(AfterCrash));
        }
    }

    private async Task RestartAsync(TimeSpan after)
    {
        for (var left = PortTries; ; left--)
        {
            try
            {
                await Task.Delay(after, _clock, _closing.Token);
                await StartAsync(_closing.Token);
                return;
            }
            catch (OperationCanceledException) when (_closing.IsCancellationRequested)
            {
                return; // the swarm ends
            }
            catch (ChaosException) when (left > 0 && Process is { Ended: { IsCompletedSuccessfully: true, Result: ExitCode.Address } })
            {
                after = AfterCrash; // another program on this machine has its port for now
            }
            catch (ChaosException e)
            {
                if (!_closing.IsCancellationRequested)
                {
                    _onCrash($"{Id} did not come back: {e.Message}");
                }

                return;
            }
        }
    }
}
