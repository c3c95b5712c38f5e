namespace Parallax.Runtime.ChatTemplates.Syntax;

/// <summary>Makes the errors of one template's parsing.</summary>
internal sealed class SyntaxErrors(string template)
{
    public ChatTemplateException At(int line, string construct, string problem) =>
        new(ChatTemplateFault.Syntax, template, line, construct, problem);

    public ChatTemplateException Limit(int line, string problem) =>
        new(ChatTemplateFault.Limit, template, line, "", problem);
}
