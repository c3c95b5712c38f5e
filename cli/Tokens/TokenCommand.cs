using System.CommandLine;
using System.Globalization;
using Parallax.Contracts.Identifiers;
using Parallax.Hosting;
using Parallax.Identity;
using Parallax.Identity.Authority;
using Parallax.Identity.Tokens;

namespace Parallax.Cli.Tokens;

/// <summary><c>parallax token</c>.</summary>
internal static class TokenCommand
{
    public static Command Create()
    {
        var state = StateOption.Create();
        return new ExplainedCommand(
            "token",
            "Create, list and revoke the tokens with which machines join a swarm.",
            """
            Where the swarm's key is: on the machine that founded it, or on one that swarm.key and swarm.crt were copied to.

            Examples:
              parallax token create
              parallax token create --role worker,router --expires 12h
              parallax token list
              parallax token revoke 5f0c9a3be1d24c77

            A revoked token admits nobody; who has joined with it stays. To put a machine out: parallax peer revoke PEERID.
            """)
        {
            state, CreateCreate(state), CreateList(state), CreateRevoke(state),
        };
    }

    private static Command CreateCreate(Option<string> state)
    {
        var role = new Option<string>("--role") { Description = "What the machine may do: worker, router, scheduler, kvcache, admin; several with commas.", DefaultValueFactory = static _ => "worker", HelpName = "roles" };
        var expires = new Option<string>("--expires") { Description = "How long one can join with it, e.g. 30m, 12h, 7d. Who has joined stays.", DefaultValueFactory = static _ => "7d", HelpName = "time" };
        var pin = new Option<string?>("--pin") { Description = "The peer id of the machine that it will be shown to. Default: this one's.", HelpName = "peer" };
        var command = new Command("create", "Print a token.") { role, expires, pin };
        command.SetAction(async (parsed, stop) =>
        {
            List<string> errors = [];
            var roles = MemberRolesText.Parse(parsed.GetValue(role)!);
            if (roles is null)
            {
                errors.Add($"--role: '{parsed.GetValue(role)}' is unknown; use {string.Join(", ", MemberRolesText.All.Words())}, several with commas.");
            }

            var lifetime = Lifetime.Parse(parsed.GetValue(expires)!);
            if (lifetime is null)
            {
                errors.Add($"--expires: '{parsed.GetValue(expires)}' is no time; use a number and s, m, h or d, e.g. 7d.");
            }

            PeerId? pinned = null;
            if (parsed.GetValue(pin) is { } named)
            {
                if (PeerId.TryParse(named, out var peer))
                {
                    pinned = peer;
                }
                else
                {
                    errors.Add($"--pin: '{named}' is no peer id; one has 40 hexadecimal digits.");
                }
            }

            OptionsException.ThrowIfAny(errors);
            var folder = new StateFolder(parsed.GetValue(state)!);
            using var authority = SwarmAuthority.Open(folder, TimeProvider.System);
            if (pinned is null)
            {
                using var key = folder.LoadOrCreatePeerKey();
                pinned = key.Id;
            }

            var token = await authority.CreateTokenAsync(pinned.Value, roles!.Value, lifetime!.Value, stop);
            Console.Out.WriteLine(token.ToString());
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Token {token.Id} for {roles.Value.ToText()}: joins swarm {token.Swarm.Abbreviated} at peer {token.Bootstrap.Abbreviated} until {token.Expires:u}. Keep it secret."));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateList(Option<string> state)
    {
        var command = new Command("list", "Tokens that were given out, and how many joined with each. The tokens themselves are not kept.");
        command.SetAction(parsed =>
        {
            using var authority = StateOption.Open(parsed.GetValue(state)!);
            var (revocations, now) = (authority.Revocations, TimeProvider.System.GetUtcNow());
            var joined = authority.Members.ToLookup(static member => member.Token);
            List<string[]> rows = [["TOKEN", "ROLES", "STATE", "EXPIRES", "JOINED"]];
            rows.AddRange(authority.Tokens.Select(token => new[]
            {
                token.IdText,
                token.RolesText,
                TokenId.TryParse(token.IdText, out var id) && revocations.Contains(id) ? "revoked" : token.Expires <= now ? "expired" : "valid",
                token.Expires.ToString("u", CultureInfo.InvariantCulture),
                joined[token.IdText].Count().ToString(CultureInfo.InvariantCulture),
            }));
            Console.Out.Write(TextTable.Format(rows));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateRevoke(Option<string> state)
    {
        var named = new Argument<string>("token") { Description = "The token's id, as 'list' names it, or the token itself." };
        var command = new Command("revoke", "Let nobody join with a token any more.") { named };
        command.SetAction(async (parsed, stop) =>
        {
            var text = parsed.GetValue(named)!;
            var id = text.StartsWith(JoinToken.Prefix, StringComparison.Ordinal) ? JoinToken.Parse(text).Id
                : TokenId.TryParse(text, out var read) ? read
                : throw new OptionsException([$"'{text}' is no token's id: one has 16 hexadecimal digits, see 'parallax token list'."]);
            using var authority = StateOption.Open(parsed.GetValue(state)!);
            if (!text.StartsWith(JoinToken.Prefix, StringComparison.Ordinal) && authority.Tokens.All(token => token.IdText != id.ToString()))
            {
                throw new IdentityException($"No token {id} was given out here: see 'parallax token list'.");
            }

            Console.Out.WriteLine(await authority.RevokeTokenAsync(id, stop)
                ? $"Token {id} is revoked."
                : $"Token {id} was revoked already.");
            return ExitCode.Ok;
        });
        return command;
    }
}
