using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Parallax.Cli.Chaos.Processes;

/// <summary>
/// A service that this process has started: the only kind of process that is ever signalled here. It ends with this one.
/// Thread-safe.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int KeptLines = 60;
    private static readonly ConcurrentDictionary<ChildProcess, byte> Running = new();

    private readonly Process _process;
    private readonly Action<string>? _onLine;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private readonly Lock _lock = new(); // guards _stops, and that nobody signals a process that is gone
    private int _stops;
    private bool _isOver;

    static ChildProcess() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        // Disposal has done this already, unless the process ends in another way.
        foreach (var child in Running.Keys)
        {
            child.Kill();
        }
    };

    /// <summary>Starts it.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="arguments">Of <c>parallax</c>.</param>
    /// <param name="onLine">Told of each line that it writes; called by two threads.</param>
    public ChildProcess(string name, IEnumerable<string> arguments, Action<string>? onLine = null)
    {
        (Name, _onLine) = (name, onLine);
        _process = Process.Start(ParallaxProgram.Start(arguments)) ?? throw new ChaosException($"{name} did not start.");
        Running.TryAdd(this, 0);
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput, isOutput: true), ReadAsync(_process.StandardError, isOutput: false));
        Ended = EndAsync();
    }

    /// <summary>What messages call it.</summary>
    public string Name { get; }

    /// <summary>Completes when it has ended, for whatever reason, with its exit code.</summary>
    public Task<int> Ended { get; }

    /// <summary>Whether the end was asked for.</summary>
    public bool WasKilled { get; private set; }

    /// <summary>Its last lines.</summary>
    public string Said => string.Create(CultureInfo.InvariantCulture, $"--- {Name}:{Environment.NewLine}{string.Join(Environment.NewLine, _lines)}");

    /// <summary>Waits until it says where it listens.</summary>
    /// <exception cref="ChaosException">It has ended before.</exception>
    public async Task<Uri> AddressAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAny(_address.Task, Ended).WaitAsync(cancellationToken);
        return _address.Task.IsCompleted
            ? await _address.Task
            : throw new ChaosException($"{Name} ended before it listened, with code {await Ended}.{Environment.NewLine}{Said}");
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        lock (_lock)
        {
            WasKilled = true;
            if (!_isOver)
            {
                _process.Kill(entireProcessTree: false);
            }
        }
    }

    /// <summary>Lets it stand still until everybody who did so has called <see cref="Continue"/>.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            if (_stops++ == 0 && !_isOver && !_process.HasExited)
            {
                ProcessSignal.Stop(_process.Id);
            }
        }
    }

    /// <summary>Takes one <see cref="Stop"/> back.</summary>
    public void Continue()
    {
        lock (_lock)
        {
            if (--_stops == 0 && !_isOver && !_process.HasExited)
            {
                ProcessSignal.Continue(_process.Id);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Running.TryRemove(this, out _))
        {
            Kill();
            await Ended;
            _process.Dispose();
        }
    }

    private async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync(CancellationToken.None);
        var code = _process.ExitCode;
        lock (_lock)
        {
            _isOver = true; // its id may be another process's from now on
        }

        await _reading;
        return code;
    }

    private async Task ReadAsync(StreamReader reader, bool isOutput)
    {
        while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
        {
            _lines.Enqueue(line);
            while (_lines.Count > KeptLines)
            {
                _lines.TryDequeue(out _);
            }

            _onLine?.Invoke(line);
            if (isOutput && line.Split(" listens on ") is [_, var address])
            {
                _address.TrySetResult(new Uri(address));
            }
        }
    }
}
