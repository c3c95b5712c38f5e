using System.CommandLine;
using Parallax.Cli.Terminal;
using Parallax.Hosting;
using Parallax.Runtime.Execution;

namespace Parallax.Cli.Run;

/// <summary><c>parallax run</c>.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var model = SharedOptions.Model();
        var port = new Option<int>("--port") { Description = "Port of the HTTP API; 0 takes any free one.", DefaultValueFactory = static _ => Router.RouterOptions.DefaultPort, HelpName = "port" };
        var bind = new Option<string>("--bind") { Description = "IP address of the HTTP API; 0.0.0.0 answers other machines too (there is no authentication yet).", DefaultValueFactory = static _ => "127.0.0.1", HelpName = "address" };
        var context = new Option<int?>("--ctx") { Description = "Greatest length of prompt and answer together, in tokens. Default: the model's own, at most 4096.", HelpName = "tokens" };
        var threads = SharedOptions.Threads();
        var batch = new Option<int?>("--max-batch") { Description = "Requests that are computed together; others wait. Default: 16.", HelpName = "count" };
        var residual = SharedOptions.Residual();
        var workers = new Option<int>("--workers") { Description = "Workers that the model is cut over, all in this process; 1 keeps it whole.", DefaultValueFactory = static _ => RunSettings.DefaultWorkers, HelpName = "count" };
        var log = new Option<string?>("--request-log") { Description = "File in which every request and token is noted before the client sees it. Default: none.", HelpName = "file" };

        var command = new ExplainedCommand(
            "run",
            "Serve a model over an OpenAI-compatible HTTP API, all in this process.",
            """
            Examples:
              parallax run
              parallax run --model ~/models/SmolLM2-135M-Instruct.Q4_1.gguf --ctx 2048
              parallax run --port 9000 --threads 4
              parallax run --workers 1

            Ctrl-C stops: no new requests, running answers may take 3 seconds more. A second Ctrl-C ends it at once.
            """)
        {
            model, port, bind, context, threads, batch, residual, workers, log,
        };
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
                RequestLog = parsed.GetValue(log),
            };
            settings.ThrowIfInvalid();
            using var signals = new StopSignals();
            return await RunAsync(settings, signals);
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

        Welcome.Print(Console.Out, server);
        await signals.WhenAskedAsync();
        Console.Error.WriteLine("Stopping ... (Ctrl-C again ends it at once)");
        await server.StopAsync();
        return ExitCode.Ok;
    }
}
