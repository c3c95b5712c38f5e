using System.CommandLine;
using System.Text.Json;
using Parallax.Cli.Terminal;
using Parallax.Hosting;
using Parallax.Router;
using Parallax.Router.Access.Keys;

namespace Parallax.Cli.Keys;

/// <summary><c>parallax key</c>.</summary>
internal static class KeyCommand
{
    private static readonly string By = $"{Environment.UserName}@{Environment.MachineName}";

    public static Command Create()
    {
        var store = new Option<string>("--store")
        {
            Description = "The event store of the routers: a file, or postgres://user@host/database. Default: that of routers on this machine.",
            DefaultValueFactory = static _ => RouterAudit.DefaultStore,
            HelpName = "store",
            Recursive = true,
        };
        return new ExplainedCommand(
            "key",
            "Create, list, change and revoke API keys, which clients of routers need that listen beyond their machine.",
            """
            A key's secret is shown once, when it is created; only its hash is kept. Routers notice changes within a second.

            Examples:
              parallax key create --name alice
              parallax key create --name batch --requests-per-minute 60 --tokens-per-day 1000000 --expires 90d
              parallax key create --name auditor --scope audit
              parallax key list
              parallax key change 5f0c9a3be1d24c77 --tokens-per-day none
              parallax key revoke 5f0c9a3be1d24c77

            Clients send it as 'Authorization: Bearer KEY', which OpenAI's clients do with it as their API key.
            """)
        {
            store, CreateCreate(store), CreateList(store), CreateChange(store), CreateRevoke(store),
        };
    }

    private static Command CreateCreate(Option<string> store)
    {
        var options = new KeyOptionSet(isNew: true);
        var command = new Command("create", "Create a key and print its secret.");
        options.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            var now = TimeProvider.System.GetUtcNow();
            var settings = options.Read(parsed, new KeySettings { Name = "" }, now);
            return await WithAsync(parsed.GetValue(store)!, async keys =>
            {
                var (key, secret) = await keys.CreateAsync(settings, By, stop);
                Console.Out.WriteLine(secret);
                Console.Error.WriteLine($"API key {key.Id} ('{key.Settings.Name}') for {key.Settings.Scopes.ToText()}, {KeyText.Quotas(key.Settings)}, {KeyText.Until(key.Settings)}. It is shown this once: keep it secret.");
            });
        });
        return command;
    }

    private static Command CreateList(Option<string> store)
    {
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command("list", "The keys, without their secrets, which nobody keeps.") { json };
        command.SetAction((parsed, stop) => WithAsync(parsed.GetValue(store)!, async keys =>
        {
            var ring = await keys.ReadAsync(stop);
            var now = TimeProvider.System.GetUtcNow();
            var all = ring.Keys.Values.OrderBy(static key => key.CreatedAt).ThenBy(static key => key.Id, StringComparer.Ordinal).ToArray();
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize([.. all.Select(key => KeyReport.Of(key, now))], KeyReportJson.Default.KeyReportArray));
            }
            else
            {
                Console.Out.Write(TextTable.Format([KeyText.Heading, .. all.Select(key => KeyText.Row(key, now))]));
            }
        }));
        return command;
    }

    private static Command CreateChange(Option<string> store)
    {
        var named = new Argument<string>("id") { Description = "The key's id, as 'list' names it." };
        var options = new KeyOptionSet(isNew: false);
        var command = new Command("change", "Change what a key may do; its secret stays. What is not named stays as it is.") { named };
        options.AddTo(command);
        command.SetAction((parsed, stop) => WithAsync(parsed.GetValue(store)!, async keys =>
        {
            var now = TimeProvider.System.GetUtcNow();
            var (ring, isChanged) = await keys.ExecuteAsync(new ChangeKey(parsed.GetValue(named)!, present => options.Read(parsed, present, now)), stop);
            var settings = ring.Keys[parsed.GetValue(named)!].Settings;
            Console.Out.WriteLine($"API key {parsed.GetValue(named)} ('{settings.Name}') {(isChanged ? "is now" : "was already")} for {settings.Scopes.ToText()}, {KeyText.Quotas(settings)}, {KeyText.Until(settings)}.");
        }));
        return command;
    }

    private static Command CreateRevoke(Option<string> store)
    {
        var named = new Argument<string>("id") { Description = "The key's id, as 'list' names it." };
        var command = new Command("revoke", "Put a key out of use, for good. Answers that are under way are finished.") { named };
        command.SetAction((parsed, stop) =>
        {
            var id = parsed.GetValue(named)!;
            OptionsException.ThrowIfAny(id.StartsWith(ApiKeySecret.Prefix, StringComparison.Ordinal)
                ? ["Name the key by its id, see 'parallax key list': a secret does not belong on a command line, where others can read it."]
                : []);
            return WithAsync(parsed.GetValue(store)!, async keys =>
            {
                var (_, isChanged) = await keys.ExecuteAsync(new RevokeKey(id, By), stop);
                Console.Out.WriteLine(isChanged ? $"API key {id} is revoked." : $"API key {id} was revoked already.");
            });
        });
        return command;
    }

    private static async Task<int> WithAsync(string where, Func<KeyStore, Task> act)
    {
        await using var store = RouterAudit.OpenStore(where, TimeProvider.System);
        await act(new KeyStore(store, TimeProvider.System));
        return ExitCode.Ok;
    }
}
