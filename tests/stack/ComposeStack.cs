using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Parallax.Cli.Chaos.Traffic;

namespace Parallax.StackTest;

/// <summary>
/// The stack, through the same command lines that a person uses. Engine, compose file, project and settings are in the
/// environment, where <c>tests/stack/run</c> has put them.
/// </summary>
internal sealed class ComposeStack : IAsyncDisposable
{
    private static readonly TimeSpan CommandTime = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(300);

    private readonly string _project = Needed("COMPOSE_PROJECT_NAME");

    /// <summary>Where the gateway is published.</summary>
    public Uri Gateway { get; } = new($"http://{Needed("BIND")}:{Needed("PORT")}");

    /// <summary>The repository.</summary>
    public string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Needed("COMPOSE_FILE"))!, ".."));

    /// <summary>Starts what is missing, and as many replicas of each service as that.</summary>
    public Task UpAsync(CancellationToken stop, params ReadOnlySpan<(string Service, int Count)> scale)
    {
        List<string> arguments = ["up", "-d", "--no-build", "--no-recreate"];
        foreach (var (service, count) in scale)
        {
            arguments.AddRange(["--scale", string.Create(CultureInfo.InvariantCulture, $"{service}={count}")]);
        }

        return ComposeAsync(stop, [.. arguments]);
    }

    /// <summary>docker-compose; what it writes.</summary>
    /// <exception cref="StackException">It failed.</exception>
    public static Task<string> ComposeAsync(CancellationToken stop, params string[] arguments) => RunAsync("docker-compose", arguments, "", stop);

    /// <summary>docker; what it writes.</summary>
    /// <exception cref="StackException">It failed.</exception>
    public static Task<string> DockerAsync(CancellationToken stop, params string[] arguments) => RunAsync("docker", arguments, "", stop);

    /// <summary>The command line, within the stack's network and with the scheduler's secrets; what it writes.</summary>
    /// <exception cref="StackException">It failed.</exception>
    public Task<string> ParallaxAsync(CancellationToken stop, params ReadOnlySpan<string> arguments) => DockerAsync(
        stop,
        [
            "run", "--rm", "--network", $"{_project}_inside", "--volume", $"{_project}_scheduler-secrets:/run/secrets:ro",
            "--env", "HOME=/tmp", "--env", ChatClient.KeyVariable, "parallax/parallax", .. arguments,
        ]);

    /// <summary>A shell command in a container; what it writes.</summary>
    /// <exception cref="StackException">It failed.</exception>
    public static Task<string> ShellAsync(Replica replica, string command, CancellationToken stop) =>
        DockerAsync(stop, "exec", replica.Id, "sh", "-c", command);

    /// <summary>All containers of the stack.</summary>
    public async Task<ImmutableArray<Replica>> ReplicasAsync(CancellationToken stop)
    {
        var ids = await DockerAsync(stop, "ps", "-aq", "--no-trunc", "--filter", $"label=com.docker.compose.project={_project}");
        if (ids.Length == 0)
        {
            return [];
        }

        using var document = JsonDocument.Parse(await DockerAsync(stop, ["inspect", .. ids.Split('\n')]));
        return [.. document.RootElement.EnumerateArray().Select(Read).OrderBy(static replica => replica.Service, StringComparer.Ordinal)];
    }

    /// <summary>The running containers of a service.</summary>
    public async Task<ImmutableArray<Replica>> RunningAsync(string service, CancellationToken stop) =>
        [.. (await ReplicasAsync(stop)).Where(replica => replica.Service == service && replica.IsRunning)];

    /// <summary>Looks until the containers are as wanted.</summary>
    /// <exception cref="StackException">They are not in time; says how they are.</exception>
    public async Task<ImmutableArray<Replica>> UntilAsync(
        string what, TimeSpan patience, Func<ImmutableArray<Replica>, bool> isSo, CancellationToken stop)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var replicas = await ReplicasAsync(stop);
            if (isSo(replicas))
            {
                return replicas;
            }

            if (TimeProvider.System.GetElapsedTime(began) > patience)
            {
                throw new StackException($"after {patience.TotalSeconds:0} s not {what}: {string.Join(", ", replicas)}");
            }

            await Task.Delay(Poll, TimeProvider.System, stop);
        }
    }

    /// <summary>The crash of a container's process, which the engine is to mend.</summary>
    public static void Crash(Replica replica)
    {
        using var process = Process.GetProcessById(replica.Pid);
        process.Kill();
    }

    /// <summary>Takes everything down, volumes as well.</summary>
    public async ValueTask DisposeAsync() =>
        await ComposeAsync(CancellationToken.None, "down", "--volumes", "--remove-orphans", "--timeout", "1");

    private static Replica Read(JsonElement container)
    {
        var state = container.GetProperty("State");
        var networks = container.GetProperty("NetworkSettings").GetProperty("Networks").EnumerateObject();
        return new Replica(
            container.GetProperty("Id").GetString()!,
            container.GetProperty("Config").GetProperty("Labels").GetProperty("com.docker.compose.service").GetString()!,
            state.GetProperty("Running").GetBoolean(),
            state.GetProperty("ExitCode").GetInt32(),
            state.TryGetProperty("Health", out var health) ? health.GetProperty("Status").GetString()! : "none",
            state.GetProperty("Pid").GetInt32(),
            container.GetProperty("RestartCount").GetInt32(),
            container.GetProperty("HostConfig").GetProperty("PortBindings") is { ValueKind: JsonValueKind.Object } ports ? ports.EnumerateObject().Count() : 0,
            networks.Where(static network => network.Name.EndsWith("_inside", StringComparison.Ordinal))
                .Select(static network => network.Value.GetProperty("IPAddress").GetString()!)
                .FirstOrDefault(""));
    }

    private static async Task<string> RunAsync(string program, string[] arguments, string input, CancellationToken stop)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start) ?? throw new StackException($"'{program}' does not start.");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(CommandTime);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
            await process.WaitForExitAsync(patience.Token);
            var text = await output;
            return process.ExitCode == 0
                ? text.Trim()
                : throw new StackException($"'{program} {string.Join(' ', arguments)}' ended with {process.ExitCode}: {Last(await error + text)}");
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            throw new StackException($"'{program} {string.Join(' ', arguments)}' does not end within {CommandTime.TotalMinutes} minutes.", e);
        }
    }

    private static string Last(string text)
    {
        var lines = new StringBuilder();
        foreach (var line in text.Trim().Split('\n').TakeLast(6))
        {
            lines.Append(lines.Length > 0 ? " | " : "").Append(line.Trim());
        }

        return lines.ToString();
    }

    private static string Needed(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
        ? value
        : throw new StackException($"{variable} is not set: start this by tests/stack/run.");
}
