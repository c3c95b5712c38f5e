using System.Globalization;
using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>The attribute that filters such as <c>map</c> and <c>sort</c> take: "a.b.0", or a position.</summary>
internal static class AttributePath
{
    public static TemplateValue Get(RenderState state, TemplateValue item, TemplateValue path, TemplateValue otherwise = default)
    {
        if (!path.IsText)
        {
            return Part(state, item, path, otherwise);
        }

        foreach (var part in path.AsText.Split('.'))
        {
            state.Charge(1);
            var isNumber = part.Length > 0 && part.All(char.IsAsciiDigit);
            item = Part(
                state,
                item,
                isNumber && long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                    ? TemplateValue.From(index)
                    : TemplateValue.From(part),
                otherwise);
        }

        return item;
    }

    private static TemplateValue Part(RenderState state, TemplateValue item, TemplateValue key, TemplateValue otherwise)
    {
        var value = Lookup.Item(state, item, key);
        return value.IsUndefined && !Arguments.IsAbsent(otherwise) ? otherwise : value;
    }
}
