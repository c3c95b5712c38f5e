using System.Globalization;
using System.Text;
using Parallax.Cli.Terminal;
using Parallax.Contracts.Messages;

namespace Parallax.Cli.Commands;

/// <summary>Commands as people read them.</summary>
internal static class CommandText
{
    /// <summary>A table of commands.</summary>
    public static string Table(IReadOnlyList<CommandStatus> commands)
    {
        if (commands.Count == 0)
        {
            return "No command has been given.\n";
        }

        string[] head = ["COMMAND", "KIND", "ABOUT", "STATE", "ISSUED", "BY"];
        return TextTable.Format(
            [head, .. commands.Select(static one => (string[])[one.Id, one.Kind, one.Subject, one.State, At(one.IssuedAt), one.Issuer])]);
    }

    /// <summary>All of one command.</summary>
    public static string Details(CommandStatus command)
    {
        var text = new StringBuilder($"{command.Kind} {command.Subject}".TrimEnd()).Append(": ").Append(Line(command)).Append('\n')
            .Append(CultureInfo.InvariantCulture, $"  id {command.Id}, asked by {command.Issuer}, until {At(command.Deadline)}\n");
        foreach (var step in command.History)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {At(step.At)}  {step.State,-10}  {step.Text}\n");
        }

        return text.ToString();
    }

    /// <summary>Where it stands, in a line.</summary>
    public static string Line(CommandStatus command) => command.Reason.Length > 0 ? $"{command.State} - {command.Reason}" : command.State;

    private static string At(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
