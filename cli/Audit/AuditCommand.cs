using System.CommandLine;

namespace Parallax.Cli.Audit;

/// <summary><c>parallax audit</c>.</summary>
internal static class AuditCommand
{
    public static Command Create()
    {
        var sources = new SourceOptions();
        var command = new ExplainedCommand(
            "audit",
            "What happened to every request: list, show, verify, replay, export.",
            """
            Examples:
              parallax audit list --since 24h --status failed
              parallax audit show chatcmpl-...
              parallax audit verify
              parallax audit replay chatcmpl-... --workers 2
              parallax audit export > audit.jsonl
              parallax audit list --url http://router:8000 --api-key ...
            """)
        {
            ListCommand.Create(sources),
            ShowCommand.Create(sources),
            VerifyCommand.Create(sources),
            UsageCommand.Create(sources),
            FailuresCommand.Create(sources),
            ExportCommand.Create(sources),
            RebuildCommand.Create(sources),
            RetireCommand.Create(sources),
            ReplayCommand.Create(sources),
        };
        sources.AddTo(command);
        return command;
    }

    /// <summary>Sets an action that Ctrl-C and SIGTERM end.</summary>
    public static void Run(this Command command, Func<ParseResult, CancellationToken, Task<int>> action) => command.SetAction(async (parsed, _) =>
    {
        using var signals = new StopSignals();
        try
        {
            return await action(parsed, signals.Asked);
        }
        catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
        {
            return Interruption.ExitCode;
        }
    });
}
