using System.Diagnostics;
using System.Globalization;

namespace Parallax.Testing.Servers;

/// <summary>
/// The scratch folder of a server under test, and what stands behind it: a shell in a session of its own that, when this process has
/// gone or disposes of the folder, kills the server's process groups and removes the folder. So nothing is left behind also when the tests are killed.
/// </summary>
internal sealed class ServerFolder : IAsyncDisposable
{
    // Each line names the groups that live now; the end of the input is the end of the tests. INT first: PostgreSQL then gives its
    // shared memory back.
    private const string Watchdog = """
        trap '' INT TERM HUP
        exec >/dev/null 2>&1
        groups=
        while read -r line; do groups=$line; done
        for group in $groups; do kill -INT "-$group"; done
        for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            alive=
            for group in $groups; do kill -0 "-$group" && alive=1; done
            [ -n "$alive" ] || break
            sleep 0.1
        done
        for group in $groups; do kill -KILL "-$group"; done
        for turn in $(seq 100); do rm -rf -- "$1" && break; sleep 0.1; done
        """;

    private readonly Process _watchdog;
    private readonly List<int> _groups = [];

    public ServerFolder(string name)
    {
        Path = Directory.CreateTempSubdirectory($"parallax-{name}-").FullName;
        _watchdog = Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", Watchdog, "sh", Path])
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        }) ?? throw new InvalidOperationException("sh did not start");
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Starts a program in a process group of its own, which the watchdog knows; its output goes to a file of the folder.</summary>
    public Process Start(string log, IEnumerable<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        // The shell passes on what it was given, and is gone when the program runs.
        var start = new ProcessStartInfo("setsid", ["sh", "-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null", PathOf(log), .. command])
        {
            UseShellExecute = false,
            WorkingDirectory = Path,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException("sh did not start");
        _groups.Add(process.Id);
        Tell();
        return process;
    }

    /// <summary>Kills a program that <see cref="Start"/> started, and all that it started, with SIGKILL; returns when they are gone.</summary>
    public async Task KillAsync(Process process, CancellationToken cancellationToken)
    {
        await SignalAsync("-KILL", process, cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        // What it started may go a moment later, and holds its ports and shared memory until then. Where nobody takes notice of
        // the dead, they seem to be there for good.
        for (var look = 0; look < 100 && await SignalAsync("-0", process, cancellationToken) == 0; look++)
        {
            await Task.Delay(20, cancellationToken);
        }

        Forget(process);
    }

    /// <summary>Sends a signal to a program and all that it started.</summary>
    /// <returns>What kill says: 0 when any of them was there.</returns>
    public static async Task<int> SignalAsync(string signal, Process process, CancellationToken cancellationToken)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", [signal, "--", $"-{process.Id.ToString(CultureInfo.InvariantCulture)}"])
        {
            RedirectStandardError = true, // "no such process" is an answer
        })!;
        await kill.WaitForExitAsync(cancellationToken);
        return kill.ExitCode;
    }

    /// <summary>A program has ended.</summary>
    public void Forget(Process process)
    {
        _groups.Remove(process.Id);
        Tell();
        process.Dispose();
    }

    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>The end of a log, for messages about servers that do not start.</summary>
    public string EndOf(string log)
    {
        var text = File.Exists(PathOf(log)) ? File.ReadAllText(PathOf(log)) : "(no output)";
        return text.Length > 4000 ? text[^4000..] : text;
    }

    /// <summary>Stops what runs and removes the folder.</summary>
    public async ValueTask DisposeAsync()
    {
        _watchdog.StandardInput.Close();
        await _watchdog.WaitForExitAsync();
        _watchdog.Dispose();
        if (Directory.Exists(Path))
        {
            throw new InvalidOperationException($"{Path} could not be removed");
        }
    }

    private void Tell()
    {
        _watchdog.StandardInput.WriteLine(string.Join(' ', _groups));
        _watchdog.StandardInput.Flush();
    }
}
