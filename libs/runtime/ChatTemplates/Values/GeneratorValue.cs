using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>What lazy filters give: always true, without a length, and empty after the first iteration.</summary>
internal sealed class GeneratorValue(TemplateValue[] items, string typeName = "generator") : TemplateObject
{
    private int _position;

    public override string TypeName => typeName;

    public override bool IsIterable => true;

    public override TemplateValue[] Items(RenderState state)
    {
        var rest = _position == 0 ? items : items[_position..];
        _position = items.Length;
        return rest;
    }

    /// <summary>Takes one item, as Python's next() does.</summary>
    public bool TryNext(out TemplateValue item)
    {
        item = _position < items.Length ? items[_position] : default;
        return _position < items.Length && ++_position > 0;
    }
}
