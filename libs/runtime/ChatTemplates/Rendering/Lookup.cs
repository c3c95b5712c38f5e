using Parallax.Runtime.ChatTemplates.Library;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>
/// Attributes and subscripts as Jinja looks them up: <c>a.b</c> tries the method or attribute first and the key
/// second, <c>a['b']</c> the other way round; neither found gives an undefined value.
/// </summary>
internal static class Lookup
{
    public static TemplateValue Attribute(RenderState state, TemplateValue owner, string name)
    {
        Comparison.ThrowIfUndefined(state, owner);
        var found = Member(state, owner, name);
        if (found.IsMissing && owner.Kind == ValueKind.Map)
        {
            owner.AsMap.TryGet(name, out found);
        }

        return found.IsMissing ? Absent(owner, name) : found;
    }

    public static TemplateValue Item(RenderState state, TemplateValue owner, TemplateValue key)
    {
        Comparison.ThrowIfUndefined(state, owner);
        var found = Element(state, owner, key);
        if (found.IsMissing && key.IsText)
        {
            found = Member(state, owner, key.AsText);
        }

        return found.IsMissing ? Absent(owner, key.IsText ? key.AsText : PythonText.ToRepr(state, key)) : found;
    }

    /// <summary>The method that a plain value has under a name, or null.</summary>
    public static MethodFunction? Method(TemplateValue owner, string name) => owner.Kind switch
    {
        ValueKind.Text => StringMethods.Find(name),
        ValueKind.Map => MapMethods.Find(name),
        ValueKind.List or ValueKind.Tuple => ListMethods.Find(name, owner.Kind),
        _ => null,
    };

    private static TemplateValue Member(RenderState state, TemplateValue owner, string name)
    {
        if (owner.Kind == ValueKind.Object)
        {
            return owner.AsObject.GetAttribute(state, name);
        }

        if (Method(owner, name) is not { } method)
        {
            return default;
        }

        state.Allocate(32);
        return TemplateValue.Object(new FunctionValue(name, (inner, arguments) => method(inner, owner, arguments)));
    }

    private static TemplateValue Element(RenderState state, TemplateValue owner, TemplateValue key)
    {
        switch (owner.Kind)
        {
            case ValueKind.Map when key.Kind is not (ValueKind.List or ValueKind.Map):
                Comparison.RequireKey(state, key);
                return owner.AsMap.TryGet(key, out var value) ? value : default;
            case ValueKind.List or ValueKind.Tuple when key.IsSmallIntegral:
                return At(owner.AsArray, key.AsLong);
            case ValueKind.Text when key.IsSmallIntegral:
                return CodePoints.At(state, owner.AsText, key.AsLong) is { } text ? TemplateValue.From(text) : default;
            case ValueKind.Object when owner.AsObject is RangeValue range && key.IsSmallIntegral:
                return At(range.Values, key.AsLong);
            default:
                return default;
        }
    }

    private static TemplateValue At(TemplateValue[] items, long index)
    {
        index += index < 0 ? items.Length : 0;
        return index >= 0 && index < items.Length ? items[index] : default;
    }

    private static TemplateValue Absent(TemplateValue owner, string name) =>
        TemplateValue.Undefined(new UndefinedOrigin(name, owner.TypeName));
}
