using System.CommandLine;
using Parallax.Cli.Tokens;
using Parallax.Hosting;
using Parallax.Hosting.Status;
using Parallax.Identity;
using Parallax.Swarm.Joining;

namespace Parallax.Cli.Swarm;

/// <summary><c>parallax found</c>: a member that holds the swarm's key and serves nothing.</summary>
internal static class FoundCommand
{
    public static Command Create()
    {
        var listen = new Option<string>("--listen") { Description = "Where other members dial this one, IP:PORT.", HelpName = "ip:port", Required = true };
        var advertise = new Option<string[]>("--advertise") { Description = "Where other members dial this one, HOST:PORT, if it cannot be found out (NAT, containers); may be repeated.", HelpName = "host:port", DefaultValueFactory = static _ => [] };
        var state = new Option<string?>("--state") { Description = "Folder of the swarm's key. Default: parallax/swarm in your application data.", HelpName = "folder" };
        var tokens = new Option<string[]>("--token-out") { Description = "ROLES=FILE: a file that always holds a join token for these roles; may be repeated.", HelpName = "roles=file", DefaultValueFactory = static _ => [] };
        var life = new Option<string>("--token-life") { Description = "How long such a token lives; the file gets a new one when half of it is over.", HelpName = "time", DefaultValueFactory = static _ => "24h" };
        var status = new StatusSettings();
        var command = new ExplainedCommand(
            "found",
            "Found a swarm and admit members to it, without being a worker, a router or a scheduler.",
            """
            For deployments in which every service is a process or a container of its own: this one holds the swarm's key, is the member
            that others join through, and hands out tokens in files. It does not matter to running requests; without it nobody new joins,
            and certificates, which live 24 h, are not renewed.

            Example:
              parallax found --listen 0.0.0.0:7100 --token-out worker=/run/tokens/worker --token-out router=/run/tokens/router
            """)
        {
            listen, advertise, state, tokens, life,
        };
        status.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var lifetime = Lifetime.Parse(parsed.GetValue(life)!)
                ?? throw new OptionsException([$"--token-life: '{parsed.GetValue(life)}' is no time; use a number and s, m, h or d, e.g. 24h."]);
            var found = new FoundSwarm(MemberAddress.ParseListen(parsed.GetRequiredValue(listen), "--listen"))
            {
                Advertise = [.. parsed.GetValue(advertise)!.Select(static one => MemberAddress.Parse(one, "--advertise"))],
                State = parsed.GetValue(state),
                Tokens = [.. parsed.GetValue(tokens)!.Select(ParseTokenFile)],
                TokenLife = lifetime,
            };
            using var signals = new StopSignals();
            try
            {
                return await RunAsync(found, status.Read(parsed), signals);
            }
            catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
            {
                return Interruption.ExitCode;
            }
        });
        return command;
    }

    /// <summary>Roles and file from <c>worker=/run/tokens/worker</c>.</summary>
    /// <exception cref="OptionsException">It is something else.</exception>
    internal static TokenFile ParseTokenFile(string text) =>
        text.Split('=', 2) is [var roles, { Length: > 0 } path] && MemberRolesText.Parse(roles) is { } known
            ? new TokenFile(known, path)
            : throw new OptionsException([$"--token-out: '{text}' is not ROLES=FILE with roles of {string.Join(", ", MemberRolesText.All.Words())}, several with commas, e.g. worker=/run/tokens/worker."]);

    private static async Task<int> RunAsync(FoundSwarm found, StatusOptions? at, StopSignals signals)
    {
        await using var status = await StatusServer.StartAsync(at, signals.Asked);
        await using var member = await MemberApp.FoundAsync(found, signals.Asked);
        status?.Watch(() => signals.Asked.IsCancellationRequested ? "It is stopping." : member.TokenProblem);
        Console.Out.WriteLine($"swarm {member.Member.Swarm[..8]} listens on {member.Address}");
        Console.Out.Flush();
        await signals.WhenAskedAsync();
        await member.StopAsync();
        return ExitCode.Ok;
    }
}
