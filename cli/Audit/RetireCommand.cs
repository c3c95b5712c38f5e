using System.CommandLine;
using System.Globalization;
using Parallax.Audit.Retention;
using Parallax.Cli.Tokens;
using Parallax.Hosting;
using Parallax.Identity.Authority;
using Parallax.Router;

namespace Parallax.Cli.Audit;

/// <summary><c>parallax audit retire</c>.</summary>
internal static class RetireCommand
{
    public static Command Create(SourceOptions sources)
    {
        var age = new Option<TimeSpan>("--older-than")
        {
            Description = "Requests that ended longer ago: 90d, 12h.",
            HelpName = "age",
            Required = true,
            CustomParser = static result =>
            {
                if (Lifetime.Parse(result.Tokens.Single().Value) is { } age)
                {
                    return age;
                }

                result.AddError($"--older-than: '{result.Tokens.Single().Value}' is no age like 90d or 12h.");
                return default;
            },
        };
        var reason = new Option<string?>("--reason") { Description = "Why; is kept with what is retired.", HelpName = "text" };
        var state = new Option<string?>("--state")
        {
            Description = "State folder of the swarm's member whose key signs. Default: a key of its own in the audit's folder, of no swarm.",
            HelpName = "folder",
        };
        var command = new ExplainedCommand(
            "retire",
            "Deletes requests that were kept long enough, and says so in the audit, signed.",
            """
            Everything is verified first, and nothing is retired when something is found. Running requests stay, and those of which no
            checkpoint vouches for all; writers' streams always stay.
            """)
        {
            age, reason, state,
        };
        command.Run(async (parsed, stop) =>
        {
            await using var source = sources.OpenStore(parsed);
            var folder = new StateFolder(parsed.GetValue(state) ?? Path.Combine(RouterAudit.DefaultRoot, "retire"));
            using var key = folder.LoadOrCreatePeerKey();
            using var credentials = folder.LoadCredentials(key, TimeProvider.System);
            var signer = new RetirementKey(key, credentials?.Certificate ?? ReadOnlyMemory<byte>.Empty, credentials?.AuthorityCertificate ?? ReadOnlyMemory<byte>.Empty);
            var older = parsed.GetValue(age);
            var retention = new AuditRetention(source.Store, await source.IndexAsync(stop), signer, TimeProvider.System);
            var report = await retention.RetireAsync(
                TimeProvider.System.GetUtcNow() - older,
                parsed.GetValue(reason) ?? string.Create(CultureInfo.InvariantCulture, $"kept for {older.TotalDays:0.##} days"),
                progress: null,
                stop);
            Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Retired {report.Requests} requests ({report.Streams} segments, {report.Events} events), signed by {key.Id}.{(report.Skipped == 0 ? "" : $" {report.Skipped} stay that have not ended, or that no checkpoint vouches for yet.")}"));
            return ExitCode.Ok;
        });
        return command;
    }
}
