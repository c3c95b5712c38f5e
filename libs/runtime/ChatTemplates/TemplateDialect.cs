namespace Parallax.Runtime.ChatTemplates;

/// <summary>Which tags a template may use beyond those of Jinja itself.</summary>
public enum TemplateDialect
{
    /// <summary>
    /// As model repositories expect: Jinja with <c>break</c>, <c>continue</c> and the <c>generation</c> block (which
    /// marks the assistant's text for training and renders its content as it is).
    /// </summary>
    HuggingFace,

    /// <summary>Jinja with <c>break</c> and <c>continue</c>; a <c>generation</c> tag is a syntax error.</summary>
    PlainJinja,
}
