using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>Jinja's <c>cycler(a, b, ...)</c>: next() walks over its items again and again.</summary>
internal sealed class CyclerValue(TemplateValue[] items) : TemplateObject
{
    private int _position;

    public override string TypeName => "Cycler";

    public override TemplateValue GetAttribute(RenderState state, string name)
    {
        switch (name)
        {
            case "current":
                return items[_position];
            case "next":
                return TemplateValue.Object(new FunctionValue("next", (_, _) =>
                {
                    var item = items[_position];
                    _position = (_position + 1) % items.Length;
                    return item;
                }));
            case "reset":
                return TemplateValue.Object(new FunctionValue("reset", (_, _) =>
                {
                    _position = 0;
                    return TemplateValue.None;
                }));
            default:
                return default;
        }
    }
}
