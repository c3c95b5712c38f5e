using System.CommandLine;
using Parallax.Hosting;

namespace Parallax.Router;

/// <summary>The audit's options on a command line.</summary>
/// <param name="withBus">Whether a bus can be named.</param>
public sealed class AuditOptionSet(bool withBus = false)
{
    private readonly Option<string> _audit = new("--audit")
    {
        Description = "What is kept of every request, hash-chained, before its client sees it: 'full' (prompts and answers as token ids), 'hashes' (of them, with a key that stays here) or 'off'.",
        DefaultValueFactory = static _ => "full",
        HelpName = "full|hashes|off",
    };

    private readonly Option<string?> _folder = new("--audit-folder") { Description = "Folder of the local log that events wait in; one process each. Default: the first free one in your application data.", HelpName = "folder" };
    private readonly Option<string?> _store = new("--audit-store") { Description = "The event store: a file, or postgres://user@host/database. Default: audit.db in your application data.", HelpName = "store" };
    private readonly Option<string?> _bus = new("--bus") { Description = "The bus that takes events to the scheduler: rabbitmq://USER@HOST/VHOST?passwordfile=PATH. Default: none, they go straight into the store.", HelpName = "address" };
    private readonly Option<bool> _forced = new("--audit-forced") { Description = "Force the local log to the disk with each commit: survives a loss of power, costs milliseconds per token." };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        ArgumentNullException.ThrowIfNull(command);
        foreach (var option in (Option[])(withBus ? [_audit, _folder, _store, _bus, _forced] : [_audit, _folder, _store, _forced]))
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What was asked for; null for no audit.</summary>
    /// <exception cref="OptionsException">It cannot be used.</exception>
    public RouterAudit? Read(ParseResult parsed)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        return parsed.GetRequiredValue(_audit) switch
        {
            "off" => null,
            "full" or "hashes" => new RouterAudit
            {
                Folder = parsed.GetValue(_folder),
                KeepsContents = parsed.GetRequiredValue(_audit) == "full",
                Store = parsed.GetValue(_store) ?? RouterAudit.DefaultStore,
                Bus = withBus ? parsed.GetValue(_bus) : null,
                IsForced = parsed.GetValue(_forced),
            },
            var other => throw new OptionsException([$"--audit: '{other}' is not known; use full, hashes or off."]),
        };
    }
}
