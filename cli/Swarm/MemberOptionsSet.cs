using System.CommandLine;
using Parallax.Hosting.Commands;
using Parallax.Swarm.Telemetry;

namespace Parallax.Cli.Swarm;

/// <summary>The options that founding and joining a swarm have in common.</summary>
internal sealed class MemberOptionsSet
{
    public Option<string?> State { get; } = new("--state") { Description = "Folder of the member's key, certificate and plan. Default: one in your application data.", HelpName = "folder" };

    public Option<string[]> Advertise { get; } = new("--advertise") { Description = "Where other members dial this one, HOST:PORT, if it cannot be found out (NAT, containers); may be repeated.", HelpName = "host:port", DefaultValueFactory = static _ => [] };

    public Option<string?> Name { get; } = new("--name") { Description = "What people call this machine. Default: its host name.", HelpName = "text" };

    public Option<string?> Region { get; } = new("--region") { Description = "Where the machine stands: planning keeps pipelines within a region where it can.", HelpName = "text" };

    public Option<long?> Memory { get; } = new("--memory") { Description = "Memory for weights and KV of all shards, e.g. 4GiB. Default: 80 % of what the process may use.", HelpName = "size", CustomParser = SizeText.ParsePositiveOption };

    public NatsSettings Nats { get; } = new();

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[State, Advertise, Name, Region, Memory])
        {
            command.Options.Add(option);
        }

        Nats.AddTo(command);
    }
}
