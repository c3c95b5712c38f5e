using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>Python's truth of a value.</summary>
internal static class Truth
{
    public static bool Of(TemplateValue value) => value.Kind switch
    {
        ValueKind.Boolean => value.AsBoolean,
        ValueKind.Integer => !value.IsSmallIntegral || value.AsLong != 0,
        ValueKind.Float => value.AsFloat != 0,
        ValueKind.Text => value.AsText.Length > 0,
        ValueKind.List or ValueKind.Tuple => value.AsArray.Length > 0,
        ValueKind.Map => value.AsMap.Count > 0,
        ValueKind.Object => value.AsObject.Length is not 0,
        _ => false,
    };
}
