using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>Reads bound arguments as the types that a callable needs.</summary>
internal static class Arguments
{
    public static string Text(RenderState state, Signature signature, TemplateValue[] bound, int index)
    {
        Comparison.ThrowIfUndefined(state, bound[index]);
        return bound[index].IsText
            ? bound[index].AsText
            : throw state.Fail($"{signature.Owner} needs a text for '{signature.Names[index]}', not '{bound[index].TypeName}'");
    }

    public static string Text(RenderState state, Signature signature, TemplateValue[] bound, int index, string otherwise) =>
        bound[index].IsMissing ? otherwise : Text(state, signature, bound, index);

    /// <summary>The integer, cut to 32 bits: no text or list has more items.</summary>
    public static int Integer(RenderState state, Signature signature, TemplateValue[] bound, int index, int otherwise)
    {
        if (bound[index].IsMissing)
        {
            return otherwise;
        }

        Comparison.ThrowIfUndefined(state, bound[index]);
        if (!bound[index].IsIntegral)
        {
            throw state.Fail($"{signature.Owner} needs an integer for '{signature.Names[index]}', not '{bound[index].TypeName}'");
        }

        return bound[index].IsSmallIntegral
            ? (int)Math.Clamp(bound[index].AsLong, -int.MaxValue, int.MaxValue)
            : bound[index].AsBig.Sign * int.MaxValue;
    }

    public static bool Flag(TemplateValue[] bound, int index, bool otherwise = false) =>
        bound[index].IsMissing ? otherwise : Truth.Of(bound[index]);

    public static bool IsAbsent(TemplateValue value) => value.IsMissing || value.Kind == ValueKind.None;
}
