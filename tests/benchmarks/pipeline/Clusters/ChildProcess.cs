using System.Collections.Concurrent;
using System.Diagnostics;
using Parallax.Testing;

namespace Parallax.PipelineBenchmark.Clusters;

/// <summary>A program that the benchmark starts and that ends with it, whatever happens.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int KeptLines = 30;
    private static readonly ConcurrentDictionary<ChildProcess, byte> Running = new();

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly string _name;

    static ChildProcess() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        // Disposal has done this already, unless the process ends in another way.
        foreach (var child in Running.Keys)
        {
            child.Kill();
        }
    };

    private ChildProcess(string name, ProcessStartInfo start)
    {
        _name = name;
        (start.RedirectStandardOutput, start.RedirectStandardError, start.RedirectStandardInput) = (true, true, true);
        _process = Process.Start(start) ?? throw new ChildException($"{name} did not start.");
        Running.TryAdd(this, 0);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginErrorReadLine();
    }

    /// <summary>One of this project's services, as built beside this program.</summary>
    public static ChildProcess StartService(string name, string assembly, IEnumerable<string> arguments)
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var path = Path.Combine(TestData.RepositoryRoot, "artifacts", "bin", assembly, configuration, $"{assembly}.dll");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [path, .. arguments]);
        // As the `parallax` script starts them.
        start.Environment.TryAdd("DOTNET_GCgen0size", "0x1000000");
        return new ChildProcess(name, start);
    }

    /// <summary>Another program.</summary>
    public static ChildProcess Start(string name, string program, string workingDirectory, IEnumerable<string> arguments) =>
        new(name, new ProcessStartInfo(program, arguments) { WorkingDirectory = workingDirectory });

    /// <summary>Reads on to the line that tells where a service listens.</summary>
    public async Task<Uri> AddressAsync(CancellationToken cancellationToken)
    {
        while (await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Split("listens on ") is [_, var address])
            {
                _ = DrainAsync();
                return new Uri(address);
            }
        }

        throw new ChildException($"{_name} ended before it listened:{Environment.NewLine}{Errors()}");
    }

    /// <summary>Waits for the end and gives standard output.</summary>
    /// <exception cref="ChildException">It failed.</exception>
    public async Task<string> OutputAsync(CancellationToken cancellationToken)
    {
        var output = await _process.StandardOutput.ReadToEndAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode == 0
            ? output
            : throw new ChildException($"{_name} ended with code {_process.ExitCode}:{Environment.NewLine}{Errors()}");
    }

    /// <exception cref="ChildException">It has ended.</exception>
    public void ThrowIfEnded()
    {
        if (_process.HasExited)
        {
            throw new ChildException($"{_name} ended with code {_process.ExitCode}:{Environment.NewLine}{Errors()}");
        }
    }

    /// <summary>The last lines of standard error.</summary>
    public string Errors() => string.Join(Environment.NewLine, _errors);

    public async ValueTask DisposeAsync()
    {
        if (Running.TryRemove(this, out _))
        {
            Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It had ended.
        }
    }

    private async Task DrainAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            Keep(line);
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _errors.Enqueue(line);
            while (_errors.Count > KeptLines)
            {
                _errors.TryDequeue(out _);
            }
        }
    }
}
