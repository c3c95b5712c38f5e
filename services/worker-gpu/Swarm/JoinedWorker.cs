using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Parallax.Hosting;
using Parallax.Hosting.Status;
using Parallax.ModelFiles.Shapes;
using Parallax.ModelFiles.Storage;
using Parallax.Placement;
using Parallax.Runtime.Cpu;
using Parallax.Swarm.Hosting;
using Parallax.Swarm.Joining;
using Parallax.Worker.Gpu.Devices;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>A worker of a swarm that another member founded, as a process: <c>parallax join</c>, and the service with <c>--join</c>.</summary>
internal static class JoinedWorker
{
    /// <summary>Joins, follows the plan, and leaves in order when it is asked to.</summary>
    /// <param name="settings">Which swarm, and what this machine gives.</param>
    /// <param name="output">Told of layers, a line at each change.</param>
    /// <param name="notes">Told of what it is about.</param>
    /// <param name="asked">Cancelled: leave the swarm. Before it has been joined: give up.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    /// <exception cref="Parallax.Runtime.ParallaxException">The swarm cannot be joined.</exception>
    public static async Task<int> RunAsync(JoinSettings settings, TextWriter output, TextWriter notes, CancellationToken asked)
    {
        settings.ThrowIfInvalid();
        WorkerDevice.Require(settings.Device);
        var swarm = settings.Swarm;
        await using var status = await StatusServer.StartAsync(settings.Status, asked);
        using var folder = swarm.State is { } named ? MemberFolder.Take(named) : MemberFolder.TakeFor(swarm.Bootstrap);
        using var key = folder.State.LoadOrCreatePeerKey();
        using var loggers = MemberLogging.Create();
        using var credentials = await MemberEntry.EnterAsync(swarm.Bootstrap, swarm.Token, folder.State, key, asked);
        await notes.WriteLineAsync($"A member of swarm {credentials.Swarm.Abbreviated} as {credentials.Self.Abbreviated}. Measuring this machine ...");
        var device = DeviceProbe.Measure(settings.Threads ?? 0, settings.Memory, TimeProvider.System).ToWire(settings.Region);
        await using var news = MemberNews.Open(swarm.Nats, credentials, loggers);
        await using var models = new ModelStore(new ModelStoreOptions { Paths = settings.Models }, TimeProvider.System, loggers.CreateLogger<ModelStore>());
        _ = models.StartIndexing();
        SwarmWorkerSetup Setup(IPEndPoint listen) => new()
        {
            Options = settings.ToWorker(listen),
            Member = new MemberSetup
            {
                Credentials = credentials,
                Incarnation = 0,
                Bootstrap = [swarm.Bootstrap],
                Advertise = swarm.Advertise,
                News = news,
                Folder = folder.State,
            },
            Models = models,
            BlockNews = news,
            Name = settings.Name,
            Device = device,
            Replan = Allocator.Replan,
            LeaveTime = settings.LeaveTime,
        };
        await using var worker = await StartAsync(swarm, Setup, asked);
        folder.WriteAddress(MemberFolder.Local(worker.Address));
        status?.Watch(worker.WhyNotReady);
        using var telling = new CancellationTokenSource();
        var told = LayerNews.TellAsync(worker, output, telling.Token);
        await Task.WhenAny(Task.Delay(Timeout.Infinite, asked), worker.LeaveAsked);
        await notes.WriteLineAsync("Leaving the swarm: others take over ...");
        await worker.GiveUpAllAsync(CancellationToken.None);
        await worker.StopAsync();
        await telling.CancelAsync();
        await told;
        return ExitCode.Ok;
    }

    private static async Task<SwarmWorkerApp> StartAsync(JoinSwarm swarm, Func<IPEndPoint, SwarmWorkerSetup> setup, CancellationToken stop)
    {
        var listen = swarm.Listen ?? DefaultListen(swarm.Bootstrap);
        try
        {
            return await SwarmWorkerApp.StartAsync(setup(listen), stop);
        }
        catch (IOException e) when (swarm.Listen is null && listen.Port != 0 && e.InnerException is AddressInUseException)
        {
            // Another member of this machine took the default port in between.
            return await SwarmWorkerApp.StartAsync(setup(new IPEndPoint(listen.Address, 0)), stop);
        }
    }

    private static IPEndPoint DefaultListen(Uri bootstrap)
    {
        var address = MemberEntry.DefaultBind(bootstrap);
        using var probe = new TcpListener(address, WorkerOptions.DefaultPort);
        try
        {
            probe.Start();
            return new IPEndPoint(address, WorkerOptions.DefaultPort);
        }
        catch (SocketException)
        {
            return new IPEndPoint(address, 0); // taken, perhaps by another member: any other will do as well
        }
    }
}
