using System.CommandLine;
using System.Net;
using Parallax.Identity.Tokens;
using Parallax.Swarm.Telemetry;

namespace Parallax.Swarm.Joining;

/// <summary>How a process joins a swarm that another one founded.</summary>
/// <param name="Bootstrap">A member of it.</param>
public sealed record JoinSwarm(Uri Bootstrap)
{
    /// <summary>The token; null where the state folder holds a certificate.</summary>
    public JoinToken? Token { get; init; }

    /// <summary>The state folder; null for one that is found by the address.</summary>
    public string? State { get; init; }

    /// <summary>Where to listen for other members; null: loopback where the bootstrap is on it, else all addresses, at any port.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>Where others are to dial it; empty: found out.</summary>
    public IReadOnlyList<Uri> Advertise { get; init; } = [];

    /// <summary>NATS; null for none.</summary>
    public NatsOptions? Nats { get; init; }
}

/// <summary>The options by which a service joins a swarm, on its command line.</summary>
public sealed class JoinOptions
{
    private readonly Option<string?> _join = new("--join") { Description = "A member of the swarm to join, HOST:PORT.", HelpName = "host:port" };
    private readonly Option<string?> _token = MemberEntry.TokenOption();
    private readonly Option<string?> _tokenFile = MemberEntry.TokenFileOption();
    private readonly Option<string?> _state = new("--state") { Description = "Folder of the member's key and certificate. Default: one in your application data.", HelpName = "folder" };
    private readonly Option<string?> _listen = new("--member-listen") { Description = "Where other members dial this one, IP:PORT. Default: any port.", HelpName = "ip:port" };
    private readonly Option<string[]> _advertise = new("--member-advertise") { Description = "Where other members dial this one, HOST:PORT, if it cannot be found out (NAT, containers); may be repeated.", HelpName = "host:port", DefaultValueFactory = static _ => [] };
    private readonly NatsSettings _nats = new();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        ArgumentNullException.ThrowIfNull(command);
        foreach (var option in (Option[])[_join, _token, _tokenFile, _state, _listen, _advertise])
        {
            command.Options.Add(option);
        }

        _nats.AddTo(command);
    }

    /// <summary>What was asked for; null without <c>--join</c>.</summary>
    /// <exception cref="Parallax.Runtime.ParallaxException">Something cannot be used.</exception>
    public JoinSwarm? Read(ParseResult parsed)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        return parsed.GetValue(_join) is not { } address ? null : new JoinSwarm(MemberAddress.Parse(address, "--join"))
        {
            Token = MemberEntry.ReadToken(parsed.GetValue(_token), parsed.GetValue(_tokenFile)),
            State = parsed.GetValue(_state),
            Listen = parsed.GetValue(_listen) is { } where ? MemberAddress.ParseListen(where, "--member-listen") : null,
            Advertise = [.. parsed.GetValue(_advertise)!.Select(static one => MemberAddress.Parse(one, "--member-advertise"))],
            Nats = _nats.Read(parsed, Environment.GetEnvironmentVariable),
        };
    }
}
