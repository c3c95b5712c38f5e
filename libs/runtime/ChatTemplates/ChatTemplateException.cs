namespace Parallax.Runtime.ChatTemplates;

/// <summary>A chat template that cannot be read or rendered. The message names the template, the line and the construct.</summary>
public sealed class ChatTemplateException : ParallaxException
{
    internal ChatTemplateException(
        ChatTemplateFault fault,
        string template,
        int line,
        string construct,
        string problem,
        Exception? cause = null)
        : base(Describe(template, line, construct, problem), cause)
    {
        Fault = fault;
        Template = template;
        Line = line;
        Construct = construct;
        Problem = problem;
    }

    /// <summary>What kind of failure this is.</summary>
    public ChatTemplateFault Fault { get; }

    /// <summary>The template's name, as given to <see cref="ChatTemplate.Parse"/>.</summary>
    public string Template { get; }

    /// <summary>Line of the template's source, from 1; 0 when no line is at fault.</summary>
    public int Line { get; }

    /// <summary>The tag, operator, filter or function at fault; may be empty.</summary>
    public string Construct { get; }

    /// <summary>
    /// What went wrong, without the place. For <see cref="ChatTemplateFault.Raised"/> exactly the message that the
    /// template gave, which is meant for the client.
    /// </summary>
    public string Problem { get; }

    private static string Describe(string template, int line, string construct, string problem)
    {
        var place = line > 0 ? $", line {line}" : "";
        return construct.Length == 0
            ? $"chat template '{template}'{place}: {problem}"
            : $"chat template '{template}'{place}: {construct}: {problem}";
    }
}
