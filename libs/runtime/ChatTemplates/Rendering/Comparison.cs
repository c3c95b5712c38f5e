using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>Python's ==, &lt; and <c>in</c>.</summary>
internal static class Comparison
{
    public static bool Equal(RenderState state, TemplateValue left, TemplateValue right)
    {
        if (left.IsText && right.IsText)
        {
            state.ChargeScan(Math.Min(left.AsText.Length, right.AsText.Length));
            return string.Equals(left.AsText, right.AsText, StringComparison.Ordinal);
        }

        if (left.IsNumber && right.IsNumber)
        {
            return NumberComparison.Equal(left, right);
        }

        if (left.Kind != right.Kind)
        {
            return left.IsUndefined && right.IsUndefined;
        }

        return left.Kind switch
        {
            ValueKind.List or ValueKind.Tuple => ArraysEqual(state, left.AsArray, right.AsArray),
            ValueKind.Map => MapsEqual(state, left.AsMap, right.AsMap),
            ValueKind.Object => ObjectsEqual(state, left.AsObject, right.AsObject),
            _ => true,
        };
    }

    /// <summary>Negative, zero, positive, or null where a NaN makes every ordering false.</summary>
    public static int? Order(RenderState state, TemplateValue left, TemplateValue right, string operation)
    {
        if (left.IsNumber && right.IsNumber)
        {
            return NumberComparison.Compare(left, right);
        }

        if (left.IsText && right.IsText)
        {
            state.ChargeScan(Math.Min(left.AsText.Length, right.AsText.Length));
            return OrderTexts(left.AsText, right.AsText);
        }

        if (left.IsArray && left.Kind == right.Kind)
        {
            return OrderArrays(state, left.AsArray, right.AsArray, operation);
        }

        ThrowIfUndefined(state, left);
        ThrowIfUndefined(state, right);
        throw state.Fail($"{operation} does not order '{left.TypeName}' and '{right.TypeName}'");
    }

    public static bool Contains(RenderState state, TemplateValue container, TemplateValue item)
    {
        switch (container.Kind)
        {
            case ValueKind.Missing or ValueKind.Undefined:
                return false;
            case ValueKind.Text when item.IsText:
                return TextSearch.Contains(state, container.AsText, item.AsText);
            case ValueKind.Text:
                ThrowIfUndefined(state, item);
                throw state.Fail($"only a text can be 'in' a text, not '{item.TypeName}'");
            case ValueKind.Map:
                RequireKey(state, item);
                return container.AsMap.TryGet(item, out _);
            case ValueKind.List or ValueKind.Tuple:
                return ArrayContains(state, container.AsArray, item);
            case ValueKind.Object when container.AsObject.IsIterable:
                return ArrayContains(state, container.AsObject.Items(state), item);
            default:
                throw state.Fail($"'{container.TypeName}' is not something that a value can be 'in'");
        }
    }

    /// <summary>Refuses values that Python cannot hash, and bounds the size of those it can.</summary>
    public static void RequireKey(RenderState state, TemplateValue key)
    {
        if (key.Kind is ValueKind.List or ValueKind.Map)
        {
            throw state.Fail($"a '{key.TypeName}' cannot be a key");
        }

        if (key.Kind == ValueKind.Tuple)
        {
            state.Enter(1);
            state.Charge(key.AsArray.Length);
            foreach (var part in key.AsArray)
            {
                RequireKey(state, part);
            }

            state.Leave(1);
        }
        else if (key.IsText)
        {
            state.ChargeScan(key.AsText.Length);
        }
    }

    public static void ThrowIfUndefined(RenderState state, TemplateValue value)
    {
        if (value.IsUndefined)
        {
            throw state.FailUndefined(value);
        }
    }

    /// <summary>By code points, which differs from UTF-16 order where surrogates meet U+E000 to U+FFFF.</summary>
    public static int OrderTexts(string left, string right)
    {
        var shared = left.AsSpan().CommonPrefixLength(right);
        if (shared == left.Length || shared == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        var (a, b) = (left[shared], right[shared]);
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
    }

    private static bool ArraysEqual(RenderState state, TemplateValue[] left, TemplateValue[] right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        state.Enter(1);
        state.Charge(left.Length);
        var equal = true;
        for (var i = 0; i < left.Length && equal; i++)
        {
            equal = Equal(state, left[i], right[i]);
        }

        state.Leave(1);
        return equal;
    }

    private static bool MapsEqual(RenderState state, MapValue left, MapValue right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        state.Enter(1);
        state.Charge(left.Count);
        var equal = true;
        for (var i = 0; i < left.Count && equal; i++)
        {
            var (key, value) = left[i];
            equal = right.TryGet(key, out var other) && Equal(state, value, other);
        }

        state.Leave(1);
        return equal;
    }

    private static bool ObjectsEqual(RenderState state, TemplateObject left, TemplateObject right) =>
        ReferenceEquals(left, right)
        || (left is RangeValue first && right is RangeValue second && ArraysEqual(state, first.Values, second.Values));

    private static int? OrderArrays(RenderState state, TemplateValue[] left, TemplateValue[] right, string operation)
    {
        state.Enter(1);
        var shared = Math.Min(left.Length, right.Length);
        state.Charge(shared);
        int? order = left.Length.CompareTo(right.Length);
        for (var i = 0; i < shared; i++)
        {
            if (!Equal(state, left[i], right[i]))
            {
                order = Order(state, left[i], right[i], operation);
                break;
            }
        }

        state.Leave(1);
        return order;
    }

    private static bool ArrayContains(RenderState state, TemplateValue[] items, TemplateValue item)
    {
        foreach (var candidate in items)
        {
            state.Charge(1);
            if (Equal(state, candidate, item))
            {
                return true;
            }
        }

        return false;
    }
}
