using System.Diagnostics;
using System.Globalization;

namespace Parallax.Testing.Servers;

/// <summary>
/// PostgreSQL as a process with all its files in a scratch folder. Runs from where the package is installed or was unpacked, and, since it
/// refuses to run as root, as the user that the package made, or as nobody.
/// </summary>
internal sealed class LocalPostgresServer : PostgresServer
{
    private const string Log = "server.log";

    private readonly ServerFolder _folder = new("postgres");
    private Process? _process;

    public LocalPostgresServer() => Port = ServerPrograms.FreePort();

    /// <summary>Why it cannot be had; null when it can.</summary>
    public static string? MissingReason => Find() is null ? "postgresql is not installed (./test fetches it where apt-get can)" : null;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var programs = Find() ?? throw new InvalidOperationException(MissingReason);
        var data = _folder.PathOf("data");
        if (!Directory.Exists(data))
        {
            await CreateAsync(programs, data, cancellationToken);
        }

        File.Delete(Path.Combine(data, "postmaster.pid")); // of a process that was killed, and whose number may be another's by now
        _process = _folder.Start(
            Log,
            [
                .. AsUser(), Path.Combine(programs, "postgres"), "-D", data, "-p", Port.ToString(CultureInfo.InvariantCulture),
                "-c", "listen_addresses=127.0.0.1", "-c", $"unix_socket_directories={_folder.Path}",
            ],
            Libraries(programs));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartTime);
        while (!await AnswersAsync(patience.Token))
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"postgres does not start: {_folder.EndOf(Log)}");
            }

            await Task.Delay(20, patience.Token);
        }
    }

    public override async Task KillAsync(CancellationToken cancellationToken)
    {
        if (_process is { } process)
        {
            _process = null;
            await _folder.KillAsync(process, cancellationToken);
        }
    }

    private protected override ValueTask StopAsync()
    {
        _process?.Dispose();
        _process = null;
        return _folder.DisposeAsync(); // interrupts it, so that it gives its shared memory back
    }

    /// <summary>The folder of its programs; null when they are missing.</summary>
    private static string? Find() =>
        ServerPrograms.Newest(
            new[] { "/", ServerPrograms.ToolFolder("postgresql") }.Select(static root => Path.Combine(root, "usr", "lib", "postgresql")),
            "*",
            Path.Combine("bin", "initdb")) is { } version
            ? Path.Combine(version, "bin")
            : null;

    private static Dictionary<string, string> Libraries(string programs) =>
        new(ServerPrograms.Libraries("postgresql", programs)) { ["LC_ALL"] = "C.UTF-8" };

    private static string[] AsUser()
    {
        if (Environment.UserName != "root")
        {
            return [];
        }

        var user = File.ReadLines("/etc/passwd").Any(static line => line.StartsWith($"{Superuser}:", StringComparison.Ordinal)) ? Superuser : "nobody";
        return ServerPrograms.IsOnPath("setpriv") ? ["setpriv", $"--reuid={user}", "--clear-groups", "--"]
            : ServerPrograms.IsOnPath("runuser") ? ["runuser", "-u", user, "--"]
            : ["su", "-s", "/bin/sh", user, "-c", "exec \"$0\" \"$@\"", "--"];
    }

    private async Task CreateAsync(string programs, string data, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(data);
        var passwordFile = _folder.PathOf("password");
        await File.WriteAllTextAsync(passwordFile, Password, cancellationToken);
        if (AsUser() is not [])
        {
            await RunAsync(["chmod", "-R", "a+rwX", _folder.Path], cancellationToken);
            Directory.Delete(data); // the user makes it itself, because it must own it
        }

        await RunAsync(
            [
                .. AsUser(), Path.Combine(programs, "initdb"), "-D", data, "-U", Superuser, $"--pwfile={passwordFile}", "--auth=scram-sha-256",
                "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions",
            ],
            cancellationToken,
            Libraries(programs));
    }

    private async Task RunAsync(string[] command, CancellationToken cancellationToken, Dictionary<string, string>? environment = null)
    {
        var process = _folder.Start(Log, command, environment);
        await process.WaitForExitAsync(cancellationToken);
        var code = process.ExitCode;
        _folder.Forget(process);
        if (code != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', command)} failed: {_folder.EndOf(Log)}");
        }
    }
}
