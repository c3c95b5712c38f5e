using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Parallax.Hosting;
using Parallax.ModelFiles.Shapes;
using Parallax.ModelFiles.Storage;
using Parallax.Placement;
using Parallax.Runtime.Cpu;
using Parallax.Swarm.Hosting;
using Parallax.Swarm.Joining;
using Parallax.Worker.Gpu.Swarm;

namespace Parallax.Cli.Swarm;

/// <summary><c>parallax join</c>.</summary>
internal static class JoinCommand
{
    public static Command Create()
    {
        var address = new Argument<string>("address") { Description = "A member of the swarm, HOST:PORT." };
        var token = MemberEntry.TokenOption();
        var model = new Option<string[]>("--model", "-m") { Description = "Models on this machine, files or folders, to load from; what is missing comes from other members. May be repeated.", HelpName = "path", DefaultValueFactory = static _ => [] };
        var listen = new Option<string?>("--listen") { Description = $"Where other members dial this one, IP:PORT. Default: all addresses, port {JoinSettings.DefaultPort} if it is free.", HelpName = "ip:port" };
        var leave = new Option<int>("--leave-time") { Description = "Seconds that others may take to take over, and running answers to end, when this machine leaves.", DefaultValueFactory = static _ => 60, HelpName = "seconds" };
        var threads = SharedOptions.Threads();
        var member = new MemberOptionsSet();
        var command = new ExplainedCommand(
            "join",
            "Give this machine to a swarm: it gets layers that suit it, and serves them.",
            """
            Example ('parallax run --listen' and 'parallax token create' print the line to use):
              parallax join 10.0.0.2:7100 --token plx1_...

            Ctrl-C leaves in order: others take the layers over, running answers end. A second Ctrl-C ends it at once.
            """)
        {
            address, token, model, listen, leave, threads,
        };
        member.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var settings = new JoinSettings
            {
                Bootstrap = MemberAddress.Parse(parsed.GetValue(address)!, "address"),
                Token = MemberEntry.ReadToken(parsed.GetValue(token)),
                Models = parsed.GetValue(model)!,
                Listen = parsed.GetValue(listen) is { } where ? MemberAddress.ParseListen(where, "--listen") : null,
                Advertise = [.. parsed.GetValue(member.Advertise)!.Select(static one => MemberAddress.Parse(one, "--advertise"))],
                State = parsed.GetValue(member.State),
                Name = parsed.GetValue(member.Name) ?? Environment.MachineName,
                Region = parsed.GetValue(member.Region) ?? "",
                Memory = parsed.GetValue(member.Memory),
                Threads = parsed.GetValue(threads),
                Nats = member.Nats.Read(parsed, Environment.GetEnvironmentVariable),
                LeaveTime = TimeSpan.FromSeconds(parsed.GetValue(leave)),
            };
            settings.ThrowIfInvalid();
            using var signals = new StopSignals();
            try
            {
                return await RunAsync(settings, signals);
            }
            catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
            {
                return Interruption.ExitCode;
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(JoinSettings settings, StopSignals signals)
    {
        using var folder = settings.State is { } named ? MemberFolder.Take(named) : MemberFolder.TakeFor(settings.Bootstrap);
        using var key = folder.State.LoadOrCreatePeerKey();
        using var loggers = MemberLogging.Create();
        using var credentials = await MemberEntry.EnterAsync(settings.Bootstrap, settings.Token, folder.State, key, signals.Asked);
        Console.Error.WriteLine($"A member of swarm {credentials.Swarm.Abbreviated} as {credentials.Self.Abbreviated}. Measuring this machine ...");
        var device = DeviceProbe.Measure(settings.Threads ?? 0, settings.Memory, TimeProvider.System).ToWire(settings.Region);
        await using var news = MemberNews.Open(settings.Nats, credentials, loggers);
        await using var models = new ModelStore(new ModelStoreOptions { Paths = settings.Models }, TimeProvider.System, loggers.CreateLogger<ModelStore>());
        _ = models.StartIndexing();
        SwarmWorkerSetup Setup(IPEndPoint listen) => new()
        {
            Options = settings.ToWorker(listen),
            Member = new MemberSetup
            {
                Credentials = credentials,
                Incarnation = 0,
                Bootstrap = [settings.Bootstrap],
                Advertise = settings.Advertise,
                News = news,
                Folder = folder.State,
            },
            Models = models,
            Name = settings.Name,
            Device = device,
            Replan = Allocator.Replan,
            LeaveTime = settings.LeaveTime,
        };
        await using var worker = await StartAsync(settings, Setup, signals.Asked);
        folder.WriteAddress(MemberFolder.Local(worker.Address));
        using var telling = new CancellationTokenSource();
        var told = LayerNews.TellAsync(worker, Console.Out, telling.Token);
        await Task.WhenAny(signals.WhenAskedAsync(), worker.LeaveAsked);
        Console.Error.WriteLine("Leaving the swarm: others take over ... (Ctrl-C again ends it at once)");
        await worker.GiveUpAllAsync(CancellationToken.None);
        await worker.StopAsync();
        await telling.CancelAsync();
        await told;
        return ExitCode.Ok;
    }

    private static async Task<SwarmWorkerApp> StartAsync(JoinSettings settings, Func<IPEndPoint, SwarmWorkerSetup> setup, CancellationToken stop)
    {
        var listen = settings.Listen ?? DefaultListen(settings.Bootstrap);
        try
        {
            return await SwarmWorkerApp.StartAsync(setup(listen), stop);
        }
        catch (IOException e) when (settings.Listen is null && listen.Port != 0 && e.InnerException is AddressInUseException)
        {
            // Another member of this machine took the default port in between.
            return await SwarmWorkerApp.StartAsync(setup(new IPEndPoint(listen.Address, 0)), stop);
        }
    }

    private static IPEndPoint DefaultListen(Uri bootstrap)
    {
        var address = MemberEntry.DefaultBind(bootstrap);
        using var probe = new TcpListener(address, JoinSettings.DefaultPort);
        try
        {
            probe.Start();
            return new IPEndPoint(address, JoinSettings.DefaultPort);
        }
        catch (SocketException)
        {
            return new IPEndPoint(address, 0); // taken, perhaps by another member: any other will do as well
        }
    }
}
