using System.Diagnostics;
using System.Globalization;
using System.Text;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Cli;

/// <summary>The <c>parallax</c> command as a process of its own.</summary>
internal sealed class CliProcess : IAsyncDisposable
{
    /// <summary>Why a test that needs <see cref="ThroughScript"/> is skipped.</summary>
    public const string NoScript = "./parallax is a shell script, and runs the release build, which is absent";

    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    public CliProcess(params string[] arguments)
        : this(Path.Combine(AppContext.BaseDirectory, "Parallax.Cli"), arguments, Path.GetTempPath())
    {
    }

    public CliProcess(string program, string[] arguments, string folder, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.AppendLine(line.Data);
            }
        };
        _process.BeginErrorReadLine();
    }

    /// <summary>The command as a user starts it, with <c>./parallax</c>; null where there is none or it is not built.</summary>
    public static CliProcess? ThroughScript(string script, string folder, params string[] arguments)
    {
        var built = Path.Combine(TestData.RepositoryRoot, "artifacts", "bin", "Parallax.Cli", "release", "Parallax.Cli.dll");
        return OperatingSystem.IsWindows() || !File.Exists(built)
            ? null
            : new CliProcess(script, arguments, folder, ("PARALLAX_NO_BUILD", "1"));
    }

    public int Id => _process.Id;

    public StreamWriter Input => _process.StandardInput;

    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    /// <summary>Resident memory now, in bytes.</summary>
    public long WorkingSet
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>The most that resident memory was, in bytes.</summary>
    public long PeakWorkingSet
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Reads the output up to a line with this text, and gives that line.</summary>
    public async Task<string> ReadToLineAsync(string text)
    {
        while (await _process.StandardOutput.ReadLineAsync(Token).AsTask().WaitAsync(TimeSpan.FromSeconds(120), Token) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"the command ended without saying '{text}': {Errors}");
    }

    /// <summary>Gives the input, waits for the end; the output and the exit code.</summary>
    public async Task<(string Output, int Code)> RunToEndAsync(string input = "")
    {
        var output = _process.StandardOutput.ReadToEndAsync(Token);
        await Input.WriteAsync(input.AsMemory(), Token);
        Input.Close();
        return (await output.WaitAsync(TimeSpan.FromMinutes(3), Token), await ExitCodeAsync());
    }

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync(Token).WaitAsync(TimeSpan.FromMinutes(3), Token);
        return _process.ExitCode;
    }

    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(Token);
        Assert.Equal(0, kill.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }
}
