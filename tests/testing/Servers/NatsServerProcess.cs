using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Parallax.Testing.Servers;

/// <summary>A real nats-server on a free port of loopback, with all its files in a scratch folder.</summary>
public sealed class NatsServerProcess : IAsyncDisposable
{
    private const string Program = "nats-server";
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(20);

    private readonly NatsServerConfig _config;
    private Process? _process;

    private NatsServerProcess(NatsServerConfig config) => _config = config;

    /// <summary>Why tests that need the server are skipped; null when it is installed.</summary>
    public static string? MissingReason => Find() is null ? $"{Program} is not installed (./test fetches it where apt-get can)" : null;

    /// <summary>Where it listens.</summary>
    public Uri Address => new($"nats://127.0.0.1:{Port}");

    /// <summary>Its port, the same after a restart.</summary>
    public int Port { get; private set; }

    /// <summary>Its scratch folder; tests may put files there.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("parallax-nats-").FullName;

    private string LogPath => Path.Combine(Folder, "server.log");

    /// <summary>Starts a server; returns when it answers.</summary>
    public static async Task<NatsServerProcess> StartAsync(NatsServerConfig config, CancellationToken cancellationToken)
    {
        var server = new NatsServerProcess(config);
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                server.Port = ServerPrograms.FreePort();
                if (await server.TryStartAsync(cancellationToken))
                {
                    return server;
                }

                // Somebody else may have taken the port in between.
                if (attempt == 3)
                {
                    throw new InvalidOperationException($"{Program} does not start: {await File.ReadAllTextAsync(server.LogPath, cancellationToken)}");
                }
            }
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills it with SIGKILL and waits until it is gone.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync(cancellationToken);
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Starts it again on the same port after <see cref="KillAsync"/>.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        if (!await TryStartAsync(cancellationToken))
        {
            throw new InvalidOperationException($"{Program} does not start again: {await File.ReadAllTextAsync(LogPath, cancellationToken)}");
        }
    }

    /// <summary>Stops it in its tracks: connections stay and nobody answers. Undone by <see cref="ResumeAsync"/>.</summary>
    public Task PauseAsync(CancellationToken cancellationToken) => SignalAsync("-STOP", cancellationToken);

    /// <summary>Lets it go on after <see cref="PauseAsync"/>.</summary>
    public Task ResumeAsync(CancellationToken cancellationToken) => SignalAsync("-CONT", cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync(CancellationToken.None);
        Directory.Delete(Folder, recursive: true);
    }

    private static string? Find()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return folders
            .Concat(["/usr/sbin", "/usr/local/bin", Path.Combine(TestData.RepositoryRoot, "artifacts", "tools", Program, "usr", "sbin")])
            .Select(static folder => Path.Combine(folder, Program))
            .FirstOrDefault(File.Exists);
    }

    // False when it ends instead of answering.
    private async Task<bool> TryStartAsync(CancellationToken cancellationToken)
    {
        var configPath = Path.Combine(Folder, "server.conf");
        await File.WriteAllTextAsync(configPath, _config.Write(Port, Folder), cancellationToken);
        var program = Find() ?? throw new InvalidOperationException(MissingReason);
        _process = Process.Start(new ProcessStartInfo(program, ["-c", configPath, "-l", LogPath]) { UseShellExecute = false })
            ?? throw new InvalidOperationException($"{program} did not start");

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartTime);
        while (!_process.HasExited)
        {
            if (await AnswersAsync(patience.Token))
            {
                return true;
            }

            await Task.Delay(5, patience.Token);
        }

        _process.Dispose();
        _process = null;
        return false;
    }

    // A server greets whoever connects with a line that begins with INFO.
    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
            var greeting = new byte[5];
            await client.GetStream().ReadExactlyAsync(greeting, cancellationToken);
            return Encoding.ASCII.GetString(greeting) == "INFO ";
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    private async Task SignalAsync(string signal, CancellationToken cancellationToken)
    {
        using var kill = Process.Start("kill", [signal, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(cancellationToken);
    }
}
