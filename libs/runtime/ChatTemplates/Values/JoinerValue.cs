using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>Jinja's <c>joiner(sep)</c>: empty at its first call, the separator at every later one.</summary>
internal sealed class JoinerValue(TemplateValue separator) : TemplateObject
{
    private bool _used;

    public override string TypeName => "Joiner";

    public override bool IsCallable => true;

    public override TemplateValue Call(RenderState state, CallArguments arguments)
    {
        if (_used)
        {
            return separator;
        }

        _used = true;
        return TemplateValue.EmptyText;
    }
}
