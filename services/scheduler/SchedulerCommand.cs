using System.CommandLine;
using Parallax.Hosting.Status;
using Parallax.Swarm.Joining;

namespace Parallax.Scheduler;

/// <summary>The scheduler's command line.</summary>
internal static class SchedulerCommand
{
    /// <summary>The command; <paramref name="run"/> gets the options, not yet validated, the swarm to join, and a token that Ctrl-C cancels.</summary>
    public static RootCommand Create(Func<SchedulerOptions, JoinSwarm?, CancellationToken, Task<int>> run)
    {
        var store = new Option<string?>("--store") { Description = "File of the event store, shared by the schedulers of this machine; without it the state is kept in memory and a restart forgets it." };
        var bus = new Option<string?>("--bus") { Description = "Where audit events and operators' commands come from: memory, or rabbitmq[s]://user@host[:port]/vhost?passwordfile=path (default: nowhere)." };
        var workers = new Option<string?>("--workers") { Description = "JSON file of worker records in place of a swarm; read again when it changes." };
        var id = new Option<string?>("--id") { Description = "The id by which plans name this scheduler (default: s- and 8 random digits)." };
        var bind = new Option<string>("--bind") { Description = "IP address to listen on.", DefaultValueFactory = static _ => "127.0.0.1" };
        var port = new Option<int>("--port") { Description = "Port to listen on; 0 takes any free one.", DefaultValueFactory = static _ => SchedulerOptions.DefaultPort };
        var advertise = new Option<string?>("--advertise") { Description = "Address at which clients reach this scheduler, e.g. http://10.0.0.2:7200 (default: where it listens)." };
        var command = new RootCommand("Parallax scheduler: decides which worker holds which layers. Of several on one store, one leads and the others stand by.")
        {
            store, bus, workers, id, bind, port, advertise,
        };
        var join = new JoinOptions();
        join.AddTo(command);
        var status = new StatusSettings();
        status.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = new SchedulerOptions
            {
                StorePath = parsed.GetValue(store),
                Bus = parsed.GetValue(bus),
                WorkersPath = parsed.GetValue(workers),
                Bind = parsed.GetRequiredValue(bind),
                Port = parsed.GetValue(port),
                Advertise = parsed.GetValue(advertise),
                Status = status.Read(parsed),
            };
            return run(parsed.GetValue(id) is { } name ? options with { Id = name } : options, join.Read(parsed), cancellationToken);
        });
        return command;
    }
}
