using System.CommandLine;
using Parallax.Hosting.Status;
using Parallax.Swarm.Joining;
using Parallax.Worker.Gpu;
using Parallax.Worker.Gpu.Swarm;

namespace Parallax.Cli.Swarm;

/// <summary><c>parallax join</c>.</summary>
internal static class JoinCommand
{
    public static Command Create()
    {
        var address = new Argument<string>("address") { Description = "A member of the swarm, HOST:PORT." };
        var token = MemberEntry.TokenOption();
        var tokenFile = MemberEntry.TokenFileOption();
        var model = new Option<string[]>("--model", "-m") { Description = "Models on this machine, files or folders, to load from; what is missing comes from other members. May be repeated.", HelpName = "path", DefaultValueFactory = static _ => [] };
        var listen = new Option<string?>("--listen") { Description = $"Where other members dial this one, IP:PORT. Default: all addresses, port {WorkerOptions.DefaultPort} if it is free.", HelpName = "ip:port" };
        var leave = new Option<int>("--leave-time") { Description = "Seconds that others may take to take over, and running answers to end, when this machine leaves.", DefaultValueFactory = static _ => 60, HelpName = "seconds" };
        var threads = SharedOptions.Threads();
        var member = new MemberOptionsSet();
        var status = new StatusSettings();
        var command = new ExplainedCommand(
            "join",
            "Give this machine to a swarm: it gets layers that suit it, and serves them.",
            """
            Example ('parallax run --listen' and 'parallax token create' print the line to use):
              parallax join 10.0.0.2:7100 --token plx1_...

            Ctrl-C leaves in order: others take the layers over, running answers end. A second Ctrl-C ends it at once.
            """)
        {
            address, token, tokenFile, model, listen, leave, threads,
        };
        member.AddTo(command);
        status.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var settings = new JoinSettings(new JoinSwarm(MemberAddress.Parse(parsed.GetValue(address)!, "address"))
            {
                Token = MemberEntry.ReadToken(parsed.GetValue(token), parsed.GetValue(tokenFile)),
                Listen = parsed.GetValue(listen) is { } where ? MemberAddress.ParseListen(where, "--listen") : null,
                Advertise = [.. parsed.GetValue(member.Advertise)!.Select(static one => MemberAddress.Parse(one, "--advertise"))],
                State = parsed.GetValue(member.State),
                Nats = member.Nats.Read(parsed, Environment.GetEnvironmentVariable),
            })
            {
                Models = parsed.GetValue(model)!,
                Name = parsed.GetValue(member.Name) ?? Environment.MachineName,
                Region = parsed.GetValue(member.Region) ?? "",
                Memory = parsed.GetValue(member.Memory),
                Threads = parsed.GetValue(threads),
                LeaveTime = TimeSpan.FromSeconds(parsed.GetValue(leave)),
                Status = status.Read(parsed),
            };
            using var signals = new StopSignals();
            try
            {
                return await JoinedWorker.RunAsync(settings, Console.Out, Console.Error, signals.Asked);
            }
            catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
            {
                return Interruption.ExitCode;
            }
        });
        return command;
    }
}
