using System.CommandLine;
using Parallax.Contracts.V1;
using Parallax.Hosting;
using Parallax.Swarm.Members;


namespace Parallax.Cli.Swarm;

/// <summary><c>parallax leave</c>.</summary>
internal static class LeaveCommand
{
    public static Command Create()
    {
        var worker = new Argument<string?>("worker") { Description = "The worker that is to leave: its id, or the beginning of it. Default: the one that runs here.", Arity = ArgumentArity.ZeroOrOne };
        var state = new Option<string?>("--state") { Description = "State folder of the member whose certificate is shown. Default: the one there is.", HelpName = "folder" };
        var command = new ExplainedCommand(
            "leave",
            "Take a worker out of the swarm in order: others take its layers over, running answers end.",
            """
            Examples:
              parallax leave
              parallax leave 3f2a91c0        (takes the admin's or scheduler's role, as the founder's folder has it)
            """)
        {
            worker, state,
        };
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new StopSignals();
            using var member = MemberConnection.Open(null, parsed.GetValue(state));
            await RunAsync(member, parsed.GetValue(worker), signals.Asked);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task RunAsync(MemberConnection member, string? worker, CancellationToken stop)
    {
        var here = new Contracts.V1.Swarm.SwarmClient(member.Channel);
        var request = new LeaveRequest { Reason = "parallax leave" };
        if (worker is null)
        {
            await member.CallAsync(async () => await here.LeaveAsync(request, cancellationToken: stop), stop);
            Console.Out.WriteLine($"The worker at {member.Address.Authority} leaves.");
            return;
        }

        var status = await member.CallAsync(async () => await here.GetStatusAsync(new GetStatusRequest(), cancellationToken: stop), stop);
        var named = Find(status, worker);
        using var channel = MemberChannels.Open(member.Credentials, new Uri(named.Addresses[0]), Contracts.Identifiers.PeerId.TryParse(named.WorkerId, out var id) ? id : null);
        await member.CallAsync(async () => await new Contracts.V1.Swarm.SwarmClient(channel).LeaveAsync(request, cancellationToken: stop), stop);
        Console.Out.WriteLine($"Worker {named.WorkerId[..8]} ({named.Name}) leaves.");
    }

    /// <summary>The one worker whose id, or name, begins so.</summary>
    internal static WorkerRecord Find(SwarmStatus status, string text)
    {
        var found = status.Workers.Where(worker => worker.WorkerId.StartsWith(text, StringComparison.OrdinalIgnoreCase) || worker.Name == text).ToList();
        return found switch
        {
            [{ Addresses.Count: > 0 } one] => one,
            [] => throw new SwarmCommandException($"The swarm has no worker '{text}'; it has {string.Join(", ", status.Workers.Select(static worker => $"{worker.WorkerId[..8]} ({worker.Name})"))}."),
            _ => throw new SwarmCommandException($"'{text}' is not one worker: {string.Join(", ", found.Select(static worker => $"{worker.WorkerId[..8]} ({worker.Name})"))}."),
        };
    }
}
