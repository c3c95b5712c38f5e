using System.CommandLine;
using Parallax.Hosting.Stages;
using Parallax.Router.Access;
using Parallax.Router.Routing;
using Parallax.Swarm.Joining;

namespace Parallax.Router;

/// <summary>The router's command line.</summary>
internal static class RouterCommand
{
    /// <summary>The command; <paramref name="run"/> gets the model's path, the options, not yet validated, and the swarm to join.</summary>
    public static RootCommand Create(Func<string, RouterOptions, JoinSwarm?, CancellationToken, Task<int>> run)
    {
        var model = new Option<string>("--model") { Description = "The model's folder or .gguf file; the router needs its tokenizer and chat template only.", Required = true };
        var worker = new Option<string[]>("--worker") { Description = "A worker's address, e.g. http://127.0.0.1:7101; may be repeated.", DefaultValueFactory = static _ => [] };
        var stages = new Option<string?>("--stages") { Description = "A JSON file that names the workers, in place of --worker: { \"workers\": [ { \"id\": \"a\", \"address\": \"http://10.0.0.2:7101\", \"layers\": [0, 10] }, ... ] }." };
        var bind = new Option<string>("--bind") { Description = "IP address to listen on.", DefaultValueFactory = static _ => "127.0.0.1" };
        var port = new Option<int>("--port") { Description = "Port to listen on; 0 takes any free one.", DefaultValueFactory = static _ => RouterOptions.DefaultPort };
        var inFlight = new Option<int>("--max-in-flight") { Description = "Answers generated at once.", DefaultValueFactory = static _ => 128 };
        var queued = new Option<int>("--max-queued") { Description = "Requests that may wait for their turn; more are answered with 429.", DefaultValueFactory = static _ => 256 };
        var audit = new AuditOptionSet(withBus: true);
        var access = new AccessOptionSet();
        var noFailover = new Option<bool>("--no-failover") { Description = "End a request with an error when one of its workers is lost, in place of going on over others (for comparisons)." };
        var standby = new Option<int>("--standby") { Description = "Workers that stand by for each stage of a request's path and compute along, so that they take over without a refill.", DefaultValueFactory = static _ => 0 };
        var paths = new Option<string>("--paths") { Description = "By what paths are chosen: cheapest; least-loaded and random are for comparisons.", DefaultValueFactory = static _ => PathRules.Words[0] };
        paths.AcceptOnlyFromAmong(PathRules.Words);
        var drain = new Option<int>("--drain") { Description = "Seconds that running requests may go on when the router is stopped.", DefaultValueFactory = static _ => 10 };
        var command = new RootCommand("Parallax router: the OpenAI-compatible front door to workers.")
        {
            model, worker, stages, bind, port, inFlight, queued, noFailover, standby, paths, drain,
        };
        var join = new JoinOptions();
        join.AddTo(command);
        audit.AddTo(command);
        access.AddTo(command);
        command.SetAction((parsed, cancellationToken) => run(
            parsed.GetRequiredValue(model),
            new RouterOptions
            {
                FollowsSwarm = join.Read(parsed) is not null,
                Workers = [.. parsed.GetRequiredValue(worker).Select(static address => new Uri(address, UriKind.RelativeOrAbsolute))],
                Stages = parsed.GetValue(stages) is { } map ? StageMap.Load(map) : null,
                Bind = parsed.GetRequiredValue(bind),
                Port = parsed.GetValue(port),
                MaxInFlight = parsed.GetValue(inFlight),
                MaxQueued = parsed.GetValue(queued),
                Audit = audit.Read(parsed),
                Access = access.Read(parsed),
                Standbys = parsed.GetValue(standby),
                Paths = PathRules.Parse(parsed.GetRequiredValue(paths))!.Value,
                Failover = !parsed.GetValue(noFailover),
                DrainTime = TimeSpan.FromSeconds(parsed.GetValue(drain)),
            },
            join.Read(parsed),
            cancellationToken));
        return command;
    }
}
