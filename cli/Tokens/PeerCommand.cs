using System.CommandLine;
using System.Globalization;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;

namespace Parallax.Cli.Tokens;

/// <summary><c>parallax peer</c>.</summary>
internal static class PeerCommand
{
    public static Command Create()
    {
        var state = StateOption.Create();
        return new ExplainedCommand(
            "peer",
            "List who joined a swarm, and put members out.",
            """
            Where the swarm's key is, as with 'parallax token'. A running member of that folder applies it within two seconds and
            passes it on; what is open with a revoked peer is closed.

            Examples:
              parallax peer list
              parallax peer revoke 0b6f2c3d4e5f60718293a4b5c6d7e8f901234567
            """)
        {
            state, CreateList(state), CreateRevoke(state),
        };
    }

    private static Command CreateList(Option<string> state)
    {
        var command = new Command("list", "Who joined, with which token, from where.");
        command.SetAction(parsed =>
        {
            using var authority = StateOption.Open(parsed.GetValue(state)!);
            var revocations = authority.Revocations;
            List<string[]> rows = [["PEER", "ROLES", "STATE", "TOKEN", "FROM", "JOINED"]];
            rows.AddRange(authority.Members.Select(member => new[]
            {
                member.Peer,
                member.Roles,
                PeerId.TryParse(member.Peer, out var id) && revocations.Contains(id) ? "revoked" : "member",
                member.Token,
                member.Address,
                member.At.ToString("u", CultureInfo.InvariantCulture),
            }));
            Console.Out.Write(TextTable.Format(rows));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateRevoke(Option<string> state)
    {
        var named = new Argument<string>("peer") { Description = "The peer's id, as 'list' names it." };
        var command = new Command("revoke", "Put a member out: nobody deals with it any more.") { named };
        command.SetAction(async (parsed, stop) =>
        {
            var text = parsed.GetValue(named)!;
            if (!PeerId.TryParse(text, out var peer))
            {
                throw new OptionsException([$"'{text}' is no peer id: one has 40 hexadecimal digits, see 'parallax peer list'."]);
            }

            using var authority = StateOption.Open(parsed.GetValue(state)!);
            Console.Out.WriteLine(await authority.RevokePeerAsync(peer, stop)
                ? $"Peer {peer} is revoked. The token that it joined with still admits others: see 'parallax peer list' and 'parallax token revoke'."
                : $"Peer {peer} was revoked already.");
            return ExitCode.Ok;
        });
        return command;
    }
}
