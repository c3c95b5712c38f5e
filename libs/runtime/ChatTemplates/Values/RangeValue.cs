using System.Globalization;
using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>Python's range with its items, whose number the range function has bounded.</summary>
internal sealed class RangeValue(long start, long stop, long step, TemplateValue[] items) : TemplateObject
{
    public override string TypeName => "range";

    public override bool IsIterable => true;

    public override bool IsSequence => true;

    public override int? Length => items.Length;

    public TemplateValue[] Values => items;

    public override string Display => step == 1
        ? string.Create(CultureInfo.InvariantCulture, $"range({start}, {stop})")
        : string.Create(CultureInfo.InvariantCulture, $"range({start}, {stop}, {step})");

    public override TemplateValue[] Items(RenderState state) => items;

    /// <summary>The range of a slice, whose bounds are clamped and whose items are given.</summary>
    public RangeValue Slice(long first, long last, long stride, TemplateValue[] part) =>
        new(start + (first * step), start + (last * step), unchecked(step * stride), part);
}
