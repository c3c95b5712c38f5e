using Parallax.Runtime.ChatTemplates.Nodes;
using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Syntax;

namespace Parallax.Runtime.ChatTemplates;

/// <summary>
/// A model's chat template: a subset of Jinja with Python's semantics, <c>trim_blocks</c> and <c>lstrip_blocks</c> on,
/// escaping off. Parsed once, rendered many times; immutable and safe to use from several threads.
/// </summary>
public sealed class ChatTemplate
{
    private readonly TemplateBody _body;

    private ChatTemplate(string name, TemplateBody body)
    {
        Name = name;
        _body = body;
    }

    /// <summary>The name that errors mention.</summary>
    public string Name { get; }

    /// <summary>Reads a template.</summary>
    /// <param name="source">The template's text.</param>
    /// <param name="name">A name for errors: the model's, or the file's.</param>
    /// <param name="dialect">Which tags beyond Jinja's are known.</param>
    /// <exception cref="ChatTemplateException">The source is invalid, too large or nested too deeply.</exception>
    public static ChatTemplate Parse(string source, string name, TemplateDialect dialect = TemplateDialect.HuggingFace)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(name);
        return new ChatTemplate(name, new Parser(source, name, dialect).ParseTemplate());
    }

    /// <summary>Renders the template with named values.</summary>
    /// <param name="values">What the template may refer to: <c>messages</c>, <c>tools</c>, <c>bos_token</c> and so on.</param>
    /// <param name="limits">Bounds on steps, depth and size.</param>
    /// <param name="clock">Gives <c>strftime_now</c> its local time.</param>
    /// <exception cref="ChatTemplateException">
    /// The template rejected the conversation (<see cref="ChatTemplateFault.Raised"/>), failed, or reached a limit.
    /// </exception>
    public string Render(IReadOnlyDictionary<string, TemplateValue> values, RenderLimits limits, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(clock);
        using var state = new RenderState(Name, values, limits, clock);
        return _body.Render(state);
    }
}
