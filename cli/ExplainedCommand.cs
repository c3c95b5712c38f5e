using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Parallax.Cli;

/// <summary>A command with a line for the list of commands, and more to say in its own help.</summary>
internal sealed class ExplainedCommand(string name, string summary, string details) : Command(name, summary)
{
    /// <summary>A help option that says both.</summary>
    public static HelpOption CreateHelp()
    {
        var help = new HelpOption { Recursive = true };
        help.Action = new HelpWithDetails((HelpAction)help.Action!);
        return help;
    }

    private string Details { get; } = details;

    private sealed class HelpWithDetails(HelpAction usual) : SynchronousCommandLineAction
    {
        // --help wins over whatever else is wrong with the line.
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var code = usual.Invoke(parseResult);
            if (parseResult.CommandResult.Command is ExplainedCommand command)
            {
                parseResult.InvocationConfiguration.Output.WriteLine(command.Details);
            }

            return code;
        }
    }
}
