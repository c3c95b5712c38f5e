using System.CommandLine;
using System.Net;

namespace Parallax.Hosting.Status;

/// <summary>The options of <see cref="StatusOptions"/> on a service's command line.</summary>
public sealed class StatusSettings
{
    private readonly Option<int?> _port = new("--http-port") { Description = "Port of /health/live, /health/ready and /metrics; 0 takes any free one. Default: none is opened.", HelpName = "port" };
    private readonly Option<string> _bind = new("--http-bind") { Description = "IP address of that port.", HelpName = "address", DefaultValueFactory = static _ => IPAddress.Loopback.ToString() };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        ArgumentNullException.ThrowIfNull(command);
        command.Options.Add(_port);
        command.Options.Add(_bind);
    }

    /// <summary>What was asked for; null for no port.</summary>
    public StatusOptions? Read(ParseResult parsed)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        return parsed.GetValue(_port) is { } port ? new StatusOptions(port) { Bind = parsed.GetValue(_bind)! } : null;
    }
}
