using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Identity.Membership;
using Parallax.Identity.Tokens;
using Parallax.Testing.Servers;

namespace Parallax.Testing.Members;

/// <summary>
/// A swarm of real processes on this machine: <c>parallax run --listen</c>, and whoever joins it. All of them are killed in the
/// end. The program is the <c>Parallax.Cli</c> beside the running one.
/// </summary>
internal class ProcessSwarm : IAsyncDisposable
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(100);

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("parallax-swarm-processes-");
    private readonly List<MemberProcess> _processes = [];
    private readonly List<IDisposable> _clients = [];
    private readonly string _model;
    private readonly string[] _common;

    /// <param name="model">The model.</param>
    /// <param name="common">Options of all members, e.g. NATS.</param>
    /// <param name="giveUp">Ends all waiting.</param>
    protected ProcessSwarm(string model, string[] common, CancellationToken giveUp) => (_model, _common, Token) = (model, common, giveUp);

    /// <summary>The first process.</summary>
    public MemberProcess Founder { get; private set; } = null!;

    /// <summary>Where it is dialled by members of this machine.</summary>
    public string FounderAddress { get; private set; } = "";

    /// <summary>Ends all waiting.</summary>
    protected CancellationToken Token { get; }

    /// <summary>Founds a swarm; returns as soon as it is founded, whether or not it serves.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">Of the founder alone.</param>
    /// <param name="common">Of all members, e.g. NATS.</param>
    /// <param name="giveUp">Ends all waiting.</param>
    public static async Task<ProcessSwarm> FoundAsync(string model, string[] options, string[] common, CancellationToken giveUp)
    {
        var swarm = new ProcessSwarm(model, common, giveUp);
        await swarm.FoundAsync(options, "127.0.0.1");
        return swarm;
    }

    /// <summary>Starts the founder, the first time or again, with the same address and state.</summary>
    public MemberProcess StartFounder(params string[] options) => Founder = Start(
        "founder", "founder", ["run", "--listen", FounderAddress, "--port", "0", "--name", "founder", "--model", _model, "--threads", "1", .. _common, .. options]);

    /// <summary>A worker that joins; returns when it has begun.</summary>
    /// <param name="name">Its name and that of its state folder: the same again is the same member.</param>
    /// <param name="at">Whom it dials; null: the founder.</param>
    /// <param name="prefix">A program that runs it.</param>
    /// <param name="options">Further options.</param>
    public async Task<MemberProcess> JoinAsync(string name, string? at = null, string[]? prefix = null, params string[] options)
    {
        string[] token = HasCertificate(name) ? [] : ["--token", await TokenAsync(MemberRoles.Worker)];
        return Start(name, name, ["join", at ?? FounderAddress, "--name", name, "--threads", "1", .. token, .. _common, .. options], prefix);
    }

    /// <summary>Makes somebody a member who does not run yet: with its certificate it needs no token, nor the founder.</summary>
    public async Task AdmitAsync(string name)
    {
        var folder = new StateFolder(StateOf(name));
        using var key = folder.LoadOrCreatePeerKey();
        var token = JoinToken.Parse(await TokenAsync(MemberRoles.Worker));
        using var credentials = await MembershipClient.JoinAsync(new Uri($"https://{FounderAddress}"), token, key, TimeProvider.System, Token);
        folder.Save(credentials);
    }

    /// <summary>A router that joins; returns when it answers.</summary>
    public async Task<HttpClient> RouterAsync(string name, params string[] options)
    {
        var router = Start(
            name, name,
            ["router", "--join", FounderAddress, "--token", await TokenAsync(MemberRoles.Router), "--model", _model, "--port", "0", "--audit", "off", .. _common, .. options]);
        return Client(new Uri((await router.LineAsync("router listens on ")).Split(" listens on ")[1]));
    }

    /// <summary>A scheduler on the founder's store; returns when it has joined.</summary>
    public async Task<MemberProcess> SchedulerAsync(string name)
    {
        var scheduler = Start(
            name, name,
            ["scheduler", "--join", FounderAddress, "--token", await TokenAsync(MemberRoles.Scheduler), "--store", Path.Combine(Founder.State, "scheduler.db"), .. _common]);
        await scheduler.LineAsync("scheduler listens on ");
        return scheduler;
    }

    /// <summary>The founder's API, once it serves the model.</summary>
    public async Task<HttpClient> ServingAsync() => Client(new Uri((await Founder.LineAsync("Serving ")).Split(" on ")[1]));

    /// <summary>A command that ends by itself: what it wrote to standard output and error, and its exit code.</summary>
    public async Task<(string Output, int Code)> CommandAsync(params string[] arguments)
    {
        var command = Start(string.Join(' ', arguments.Take(2)), $"command-{_processes.Count}", arguments, named: false);
        var code = await command.ExitCodeAsync();
        return (string.Join('\n', command.Lines), code);
    }

    /// <summary>A process of <c>parallax</c>, ended with the others.</summary>
    /// <param name="name">For people.</param>
    /// <param name="state">Its state folder's name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="prefix">A program that runs it.</param>
    /// <param name="named">Whether it is told its state folder.</param>
    public MemberProcess Start(string name, string state, IReadOnlyList<string> arguments, string[]? prefix = null, bool named = true)
    {
        var folder = StateOf(state);
        var process = new MemberProcess(name, folder, prefix ?? [], named ? [.. arguments, "--state", folder] : arguments, Token);
        _processes.Add(process);
        return process;
    }

    /// <summary>Where a member of this name keeps its state.</summary>
    public string StateOf(string name) => Path.Combine(_root.FullName, name);

    /// <summary>A token, made as <c>parallax token create</c> makes it.</summary>
    public async Task<string> TokenAsync(MemberRoles roles, TimeSpan? life = null)
    {
        var folder = new StateFolder(Founder.State);
        using var authority = SwarmAuthority.Open(folder, TimeProvider.System);
        using var key = folder.LoadOrCreatePeerKey();
        return (await authority.CreateTokenAsync(key.Id, roles, life ?? TimeSpan.FromHours(1), Token)).ToString();
    }

    /// <summary>Waits until the swarm is as it should be, in the eyes of the founder.</summary>
    public Task<SwarmStatus> UntilAsync(string what, Func<SwarmStatus, bool> isSo) => UntilAsync(Founder, what, isSo);

    /// <summary>Waits until the swarm is as it should be, in a member's eyes.</summary>
    public async Task<SwarmStatus> UntilAsync(MemberProcess observer, string what, Func<SwarmStatus, bool> isSo)
    {
        using var patience = LongWait.Begin(Token);
        SwarmStatus? status = null;
        var problem = "";
        while (true)
        {
            try
            {
                status = await observer.StatusAsync();
                if (isSo(status))
                {
                    return status;
                }
            }
            catch (Exception e) when (e is RpcException or InvalidOperationException or Parallax.Runtime.ParallaxException or IOException)
            {
                problem = e.Message; // it has not started yet, or is busy
            }

            if (patience.IsCancellationRequested || observer.HasExited)
            {
                throw new TimeoutException($"{observer.Name} never saw that {what}; {problem}; it last saw {status}\n{Said}");
            }

            await Task.Delay(PollEvery, Token);
        }
    }

    /// <summary>Waits until a worker serves layers; its record.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="observer">In whose eyes; null: the founder's.</param>
    /// <param name="incarnation">Which run of it, at least.</param>
    public async Task<WorkerRecord> UntilServingAsync(MemberProcess worker, MemberProcess? observer = null, long incarnation = 0)
    {
        var status = await UntilAsync(observer ?? Founder, $"{worker.Name} serves", all => worker.HasExited || all.Workers.Any(IsServing));
        return worker.HasExited ? throw new InvalidOperationException($"{worker.Name} has ended\n{Said}") : status.Workers.Single(IsServing);

        bool IsServing(WorkerRecord record) => record.Name == worker.Name && record.Incarnation >= incarnation
            && record.Shards.Any(static shard => shard.State == ShardState.Serving);
    }

    /// <summary>Waits until a router can answer.</summary>
    public Task ReadyAsync(HttpClient http) => UntilAsync("the router is ready", async () =>
    {
        using var response = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), Token);
        return response.IsSuccessStatusCode;
    });

    /// <summary>Whether a token is refused; one that is not has admitted a key that is thrown away.</summary>
    public async Task<bool> IsRefusedAsync(string token)
    {
        using var key = PeerKey.Create();
        try
        {
            using var credentials = await MembershipClient.JoinAsync(new Uri($"https://{FounderAddress}"), JoinToken.Parse(token), key, TimeProvider.System, Token);
            return false;
        }
        catch (IdentityException)
        {
            return true;
        }
    }

    /// <summary>Waits until a condition holds.</summary>
    public async Task UntilAsync(string what, Func<Task<bool>> isSo)
    {
        using var patience = LongWait.Begin(Token);
        while (!await isSo())
        {
            if (patience.IsCancellationRequested)
            {
                throw new TimeoutException($"it never came to be that {what}\n{Said}");
            }

            await Task.Delay(PollEvery, Token);
        }
    }

    /// <summary>What all processes said.</summary>
    public string Said => string.Join('\n', _processes.Select(static process => process.Said));

    public virtual async ValueTask DisposeAsync()
    {
        _clients.ForEach(static client => client.Dispose());
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        _root.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts the founder; all ends when it cannot.</summary>
    /// <param name="options">Of the founder alone.</param>
    /// <param name="listen">Its IP address.</param>
    protected async Task FoundAsync(string[] options, string listen)
    {
        try
        {
            FounderAddress = $"{listen}:{ServerPrograms.FreePort()}";
            Founder = StartFounder(options);
            await Founder.LineAsync(" is founded");
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>A client of an API; disposed with the swarm.</summary>
    private HttpClient Client(Uri address)
    {
        var client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(5) };
        _clients.Add(client);
        return client;
    }

    private bool HasCertificate(string name) => File.Exists(Path.Combine(StateOf(name), "peer.crt"));
}
