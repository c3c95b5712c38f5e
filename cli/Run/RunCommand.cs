using System.CommandLine;
using Parallax.Cli.Swarm;
using Parallax.Cli.Terminal;
using Parallax.Hosting;
using Parallax.Runtime.Execution;
using Parallax.Swarm.Joining;

namespace Parallax.Cli.Run;

/// <summary><c>parallax run</c>.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var model = SharedOptions.Model();
        var port = new Option<int>("--port") { Description = "Port of the HTTP API; 0 takes any free one.", DefaultValueFactory = static _ => Router.RouterOptions.DefaultPort, HelpName = "port" };
        var bind = new Option<string>("--bind") { Description = "IP address of the HTTP API; 0.0.0.0 answers other machines too, who then need an API key ('parallax key create').", DefaultValueFactory = static _ => "127.0.0.1", HelpName = "address" };
        var context = new Option<int?>("--ctx") { Description = "Greatest length of prompt and answer together, in tokens. Default: the model's own, at most 4096.", HelpName = "tokens" };
        var threads = SharedOptions.Threads();
        var batch = new Option<int?>("--max-batch") { Description = "Requests that are computed together; others wait. Default: 16.", HelpName = "count" };
        var residual = SharedOptions.Residual();
        var workers = new Option<int>("--workers") { Description = "Workers that the model is cut over, all in this process; 1 keeps it whole.", DefaultValueFactory = static _ => RunSettings.DefaultWorkers, HelpName = "count" };
        var audit = new Router.AuditOptionSet();
        var access = new Router.Access.AccessOptionSet();

        var listen = new Option<string?>("--listen") { Description = "Found a swarm that other machines can join: where they dial this one, IP:PORT, e.g. 0.0.0.0:7100. Default: none.", HelpName = "ip:port" };
        var member = new MemberOptionsSet();

        var command = new ExplainedCommand(
            "run",
            "Serve a model over an OpenAI-compatible HTTP API, all in this process.",
            """
            Examples:
              parallax run
              parallax run --model ~/models/SmolLM2-135M-Instruct.Q4_1.gguf --ctx 2048
              parallax run --port 9000 --threads 4
              parallax run --workers 1
              parallax run --listen 0.0.0.0:7100     a swarm: prints the line by which other machines join

            With --listen this machine is one worker unless --workers says more, and layers are placed by the scheduler;
            --workers N cuts the model over N workers of this process and leaves it so.

            Ctrl-C stops: no new requests, running answers may take 3 seconds more. A second Ctrl-C ends it at once.
            """)
        {
            model, port, bind, context, threads, batch, residual, workers, listen,
        };
        audit.AddTo(command);
        access.AddTo(command);
        member.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var settings = new RunSettings
            {
                Model = ModelLocation.Resolve(parsed.GetValue(model)),
                Port = parsed.GetValue(port),
                Bind = parsed.GetValue(bind)!,
                Context = parsed.GetValue(context),
                Threads = parsed.GetValue(threads),
                MaxBatch = parsed.GetValue(batch),
                Residual = parsed.GetValue(residual) == "f32" ? ResidualPrecision.F32 : ResidualPrecision.BF16,
                Workers = parsed.GetValue(workers),
                Audit = audit.Read(parsed),
                Access = access.Read(parsed),
            };
            if (parsed.GetValue(listen) is not { } where)
            {
                settings.ThrowIfInvalid();
                using var signals = new StopSignals();
                return await RunAsync(settings, signals);
            }

            return await SwarmRun.RunAsync(new FounderSettings(
                parsed.GetResult(workers) is { Implicit: false } ? settings : settings with { Workers = 1 },
                MemberAddress.ParseListen(where, "--listen"))
            {
                Advertise = [.. parsed.GetValue(member.Advertise)!.Select(static one => MemberAddress.Parse(one, "--advertise"))],
                State = parsed.GetValue(member.State),
                Name = parsed.GetValue(member.Name) ?? Environment.MachineName,
                Region = parsed.GetValue(member.Region) ?? "",
                Memory = parsed.GetValue(member.Memory),
                Nats = member.Nats.Read(parsed, Environment.GetEnvironmentVariable),
            });
        });
        return command;
    }

    private static async Task<int> RunAsync(RunSettings settings, StopSignals signals)
    {
        PortProbe.ThrowIfTaken(settings.Bind, settings.Port);
        var display = new LoadDisplay(Console.Error, Console.IsErrorRedirected);
        await using var server = await LocalServer.StartAsync(settings, display, Console.Error, signals.Asked);
        if (server is null)
        {
            Console.Error.WriteLine("Stopped before the model was loaded.");
            return Interruption.ExitCode;
        }

        Welcome.Print(Console.Out, server, settings);
        await signals.WhenAskedAsync();
        Console.Error.WriteLine("Stopping ... (Ctrl-C again ends it at once)");
        await server.StopAsync();
        return ExitCode.Ok;
    }
}
