using System.Diagnostics;
using System.Globalization;
using System.Text;
using Parallax.Contracts.V1;
using Parallax.Identity.Authority;
using Parallax.Swarm.Joining;
using Parallax.Swarm.Members;

namespace Parallax.Testing.Members;

/// <summary>A <c>parallax</c> process that is a member of a swarm, with a state folder and a home of its own.</summary>
internal sealed class MemberProcess : IAsyncDisposable
{
    private const int LinesShown = 80;
    private static readonly TimeSpan AskTime = TimeSpan.FromSeconds(5);

    private readonly CancellationToken _giveUp;
    private readonly Process _process;
    private readonly Lock _gate = new(); // guards _lines and _arrived
    private readonly List<string> _lines = [];
    private readonly Task _reading;
    private TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="name">What failure messages call it.</param>
    /// <param name="state">Its state folder.</param>
    /// <param name="prefix">A program that runs it, with arguments; empty: none.</param>
    /// <param name="arguments">Of <c>parallax</c>.</param>
    /// <param name="giveUp">Ends all waiting.</param>
    public MemberProcess(string name, string state, IReadOnlyList<string> prefix, IReadOnlyList<string> arguments, CancellationToken giveUp)
    {
        (Name, State, _giveUp) = (name, state, giveUp);
        string[] line = [.. prefix, Path.Combine(AppContext.BaseDirectory, "Parallax.Cli"), .. arguments];
        var home = Directory.CreateDirectory(state + "-home").FullName;
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            WorkingDirectory = home,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = home;
        foreach (var variable in new[] { "XDG_CONFIG_HOME", "XDG_DATA_HOME", "PARALLAX_TOKEN", "PARALLAX_NATS_URL" })
        {
            start.Environment.Remove(variable);
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException($"{line[0]} did not start");
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
    }

    public string Name { get; }

    public string State { get; }

    /// <summary>Its peer id, once it is a member.</summary>
    public string Id
    {
        get
        {
            using var key = new StateFolder(State).LoadOrCreatePeerKey();
            return key.Id.ToString();
        }
    }

    /// <summary>Where other processes of this machine reach it.</summary>
    public string Address => new Uri(File.ReadAllText(Path.Combine(State, "address")).Trim()).Authority;

    public bool HasExited => _process.HasExited;

    /// <summary>Told of each line of standard output and error when it comes, by the threads that read them.</summary>
    public event Action<string>? LineArrived;

    /// <summary>What it said, the end of it, for people.</summary>
    public string Said
    {
        get
        {
            lock (_gate)
            {
                var code = _process.HasExited ? string.Create(CultureInfo.InvariantCulture, $"exited with {_process.ExitCode}") : "running";
                return new StringBuilder().AppendLine($"--- {Name} ({code}):").AppendJoin('\n', _lines.TakeLast(LinesShown)).ToString();
            }
        }
    }

    /// <summary>Lines of standard output and error so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Waits for a line with this text.</summary>
    public async Task<string> LineAsync(string text)
    {
        using var patience = LongWait.Begin(_giveUp);
        while (true)
        {
            Task arrived;
            lock (_gate)
            {
                arrived = _arrived.Task;
                if (_lines.Find(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
                {
                    return found;
                }
            }

            if (_reading.IsCompleted)
            {
                throw new InvalidOperationException($"{Name} ended without saying '{text}'\n{Said}");
            }

            await Task.WhenAny(arrived, _reading).WaitAsync(patience.Token);
        }
    }

    /// <summary>The swarm as this member tells it.</summary>
    public async Task<SwarmStatus> StatusAsync()
    {
        using var folder = MemberFolder.Look(State);
        using var key = folder.State.LoadOrCreatePeerKey();
        using var credentials = folder.State.LoadCredentials(key, TimeProvider.System) ?? throw new InvalidOperationException($"{Name} has no certificate");
        using var channel = MemberChannels.Open(credentials, folder.ReadAddress() ?? throw new InvalidOperationException($"{Name} does not run"), expected: key.Id);
        return await new Contracts.V1.Swarm.SwarmClient(channel).GetStatusAsync(
            new GetStatusRequest(), deadline: (TimeProvider.System.GetUtcNow() + AskTime).UtcDateTime, cancellationToken: _giveUp);
    }

    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(_giveUp);
        if (kill.ExitCode != 0)
        {
            throw new InvalidOperationException($"kill {signal} of {Name} failed with {kill.ExitCode}");
        }
    }

    /// <summary>Ends it with SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(_giveUp);
    }

    /// <summary>Waits for its end; the exit code.</summary>
    public async Task<int> ExitCodeAsync()
    {
        using var patience = LongWait.Begin(_giveUp);
        await _process.WaitForExitAsync(patience.Token);
        await _reading;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
        {
            TaskCompletionSource arrived;
            lock (_gate)
            {
                _lines.Add(line);
                arrived = _arrived;
                _arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            arrived.TrySetResult();
            LineArrived?.Invoke(line);
        }
    }
}
