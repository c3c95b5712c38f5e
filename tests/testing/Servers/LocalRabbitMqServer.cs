using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Parallax.Testing.Servers;

/// <summary>
/// RabbitMQ as processes: the Erlang port mapper, which its node needs to have a name, and the node, with all their files in a scratch
/// folder and all their ports on loopback. Runs from where the packages are installed or were unpacked.
/// </summary>
internal sealed class LocalRabbitMqServer : RabbitMqServer
{
    private const string Log = "server.log";

    private readonly ServerFolder _folder = new("rabbitmq");
    private readonly int _mapperPort = ServerPrograms.FreePort();
    private readonly int _nodePort = ServerPrograms.FreePort();
    private Process? _mapper;
    private Process? _node;

    public LocalRabbitMqServer() => Port = ServerPrograms.FreePort();

    /// <summary>Why it cannot be had; null when it can.</summary>
    public static string? MissingReason => Find() is null ? "rabbitmq-server is not installed (./test fetches it where apt-get can)" : null;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var (scripts, runtime, emulator) = Find() ?? throw new InvalidOperationException(MissingReason);
        _mapper ??= await StartMapperAsync(emulator, cancellationToken);
        await WriteFilesAsync(runtime, emulator, cancellationToken);
        _node = _folder.Start(Log, [Path.Combine(scripts, "rabbitmq-server")], NodeEnvironment());

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartTime);
        while (!await AnswersAsync(patience.Token))
        {
            if (_node.HasExited)
            {
                throw new InvalidOperationException($"rabbitmq-server does not start: {_folder.EndOf(Log)}");
            }

            await Task.Delay(50, patience.Token);
        }
    }

    public override async Task KillAsync(CancellationToken cancellationToken)
    {
        if (_node is { } node)
        {
            _node = null;
            await _folder.KillAsync(node, cancellationToken);
        }
    }

    public override async Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        // It listens a little before it can be told anything.
        _ = await RunControlAsync(["await_startup"], cancellationToken);
        return await RunControlAsync(arguments, cancellationToken);
    }

    private async Task<string> RunControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var (scripts, _, _) = Find() ?? throw new InvalidOperationException(MissingReason);
        var start = new ProcessStartInfo(Path.Combine(scripts, "rabbitmqctl"), ["-n", NodeName, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in NodeEnvironment())
        {
            start.Environment[name] = value;
        }

        using var control = Process.Start(start) ?? throw new InvalidOperationException("rabbitmqctl did not start");
        var (output, errors) = (control.StandardOutput.ReadToEndAsync(cancellationToken), control.StandardError.ReadToEndAsync(cancellationToken));
        await control.WaitForExitAsync(cancellationToken);
        return control.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"rabbitmqctl {string.Join(' ', arguments)}: {await output}{await errors}");
    }

    private protected override async ValueTask StopAsync()
    {
        await KillAsync(CancellationToken.None); // nothing in it is needed any more
        if (_mapper is { } mapper)
        {
            await _folder.KillAsync(mapper, CancellationToken.None);
        }

        await _folder.DisposeAsync();
    }

    private string NodeName => $"parallax{Port}@localhost";

    /// <summary>The folders of RabbitMQ's scripts, of Erlang's, and of its emulator; null when one is missing.</summary>
    private static (string Scripts, string Runtime, string Emulator)? Find()
    {
        foreach (var root in new[] { "/", ServerPrograms.ToolFolder("rabbitmq-server") })
        {
            var runtime = Path.Combine(root, "usr", "lib", "erlang");
            var server = ServerPrograms.Newest([Path.Combine(root, "usr", "lib", "rabbitmq", "lib")], "rabbitmq_server-*", Path.Combine("sbin", "rabbitmq-server"));
            var emulator = ServerPrograms.Newest([runtime], "erts-*", Path.Combine("bin", "erlexec"));
            if (server is not null && emulator is not null)
            {
                return (Path.Combine(server, "sbin"), runtime, Path.Combine(emulator, "bin"));
            }
        }

        return null;
    }

    // The node would start one that outlives it and listens where others look for theirs.
    private async Task<Process> StartMapperAsync(string emulator, CancellationToken cancellationToken)
    {
        var mapper = _folder.Start(
            Log, [Path.Combine(emulator, "epmd"), "-port", _mapperPort.ToString(CultureInfo.InvariantCulture), "-address", "127.0.0.1"], NodeEnvironment());
        while (!mapper.HasExited)
        {
            if (await TakesConnectionsAsync(_mapperPort, cancellationToken))
            {
                return mapper;
            }

            await Task.Delay(5, cancellationToken);
        }

        throw new InvalidOperationException($"epmd does not start: {_folder.EndOf(Log)}");
    }

    private async Task WriteFilesAsync(string runtime, string emulator, CancellationToken cancellationToken)
    {
        foreach (var folder in new[] { "mnesia", "log", "home", "bin" })
        {
            Directory.CreateDirectory(_folder.PathOf(folder));
        }

        await File.WriteAllTextAsync(_folder.PathOf("rabbitmq.conf"), $"listeners.tcp.1 = 127.0.0.1:{Port}\n", cancellationToken);
        await File.WriteAllTextAsync(_folder.PathOf("enabled_plugins"), "[].\n", cancellationToken);

        // Debian's own `erl` knows only the folder of an installed package.
        var launcher = _folder.PathOf("bin/erl");
        await File.WriteAllTextAsync(
            launcher, $"#!/bin/sh\nexport ROOTDIR='{runtime}' BINDIR='{emulator}' EMU=beam PROGNAME=erl\nexec '{emulator}/erlexec' \"$@\"\n", cancellationToken);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(launcher, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private Dictionary<string, string> NodeEnvironment() => new(ServerPrograms.Libraries("rabbitmq-server", Find()?.Emulator ?? ""))
    {
        ["PATH"] = $"{_folder.PathOf("bin")}:{Environment.GetEnvironmentVariable("PATH")}",
        ["HOME"] = _folder.PathOf("home"),
        ["RABBITMQ_NODENAME"] = NodeName,
        ["RABBITMQ_CONFIG_FILE"] = _folder.PathOf("rabbitmq.conf"),
        ["RABBITMQ_MNESIA_BASE"] = _folder.PathOf("mnesia"),
        ["RABBITMQ_LOG_BASE"] = _folder.PathOf("log"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = _folder.PathOf("enabled_plugins"),
        ["RABBITMQ_PID_FILE"] = _folder.PathOf("node.pid"),
        ["RABBITMQ_DIST_PORT"] = _nodePort.ToString(CultureInfo.InvariantCulture),
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["ERL_EPMD_PORT"] = _mapperPort.ToString(CultureInfo.InvariantCulture),
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
    };

    private static async Task<bool> TakesConnectionsAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
