using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Rendering;

/// <summary>Python's iteration, len() and slices.</summary>
internal static class Sequences
{
    public static bool IsIterable(TemplateValue value) => value.Kind switch
    {
        ValueKind.Text or ValueKind.List or ValueKind.Tuple or ValueKind.Map => true,
        ValueKind.Object => value.AsObject.IsIterable,
        _ => value.IsUndefined,
    };

    /// <summary>The items that iterating gives: characters of a text, keys of a mapping, none of an undefined value.</summary>
    public static TemplateValue[] Items(RenderState state, TemplateValue value)
    {
        switch (value.Kind)
        {
            case ValueKind.List or ValueKind.Tuple:
                return value.AsArray;
            case ValueKind.Text:
                return CodePoints.Split(state, value.AsText);
            case ValueKind.Map:
                return new MapView(value.AsMap, MapViewKind.Keys).Items(state);
            case ValueKind.Object when value.AsObject.IsIterable:
                return value.AsObject.Items(state);
            case ValueKind.Missing or ValueKind.Undefined:
                return [];
            default:
                throw state.Fail($"'{value.TypeName}' cannot be iterated");
        }
    }

    public static long Length(RenderState state, TemplateValue value)
    {
        switch (value.Kind)
        {
            case ValueKind.List or ValueKind.Tuple:
                return value.AsArray.Length;
            case ValueKind.Text:
                state.ChargeScan(value.AsText.Length);
                return CodePoints.Count(value.AsText);
            case ValueKind.Map:
                return value.AsMap.Count;
            case ValueKind.Missing or ValueKind.Undefined:
                return 0;
            case ValueKind.Object when value.AsObject.Length is { } length:
                return length;
            default:
                throw state.Fail($"'{value.TypeName}' has no length");
        }
    }

    /// <summary>value[start:stop:step] of a text, list, tuple or range.</summary>
    public static TemplateValue Slice(
        RenderState state, TemplateValue value, TemplateValue start, TemplateValue stop, TemplateValue step)
    {
        Comparison.ThrowIfUndefined(state, value);
        var items = value.Kind switch
        {
            ValueKind.List or ValueKind.Tuple => value.AsArray,
            ValueKind.Object when value.AsObject is RangeValue range => range.Values,
            _ => null,
        };
        if (items is null && !value.IsText)
        {
            throw state.Fail($"'{value.TypeName}' cannot be sliced");
        }

        if (!IsBound(start) || !IsBound(stop) || !IsBound(step))
        {
            throw state.Fail("the bounds of a slice must be integers or none");
        }

        var text = value.IsText ? value.AsText : "";
        state.ChargeScan(text.Length);
        var length = items?.Length ?? CodePoints.Count(text);
        var stride = ReadBound(step, 1);
        if (stride == 0)
        {
            throw state.Fail("the step of a slice cannot be zero");
        }

        var (first, last) = stride > 0
            ? (Clamp(ReadBound(start, 0), length, 0, length), Clamp(ReadBound(stop, length), length, 0, length))
            : (Clamp(ReadBound(start, length - 1), length, -1, length - 1),
                stop.Kind is ValueKind.None or ValueKind.Missing ? -1 : Clamp(ReadBound(stop, 0), length, -1, length - 1));
        var span = stride > 0 ? last - first : first - last;
        var count = span <= 0 ? 0 : (int)(((span - 1) / Math.Abs(stride)) + 1);
        if (value.Kind == ValueKind.Object)
        {
            var part = SliceItems(state, items!, (int)first, stride, count);
            return TemplateValue.Object(((RangeValue)value.AsObject).Slice(first, last, stride, part));
        }

        if (items is not null)
        {
            var part = SliceItems(state, items, (int)first, stride, count);
            return value.Kind == ValueKind.Tuple ? TemplateValue.Tuple(part) : TemplateValue.List(part);
        }

        return SliceText(state, value, text, (int)first, stride, count);
    }

    private static TemplateValue[] SliceItems(RenderState state, TemplateValue[] items, int first, long stride, int count)
    {
        var slice = state.NewArray(count);
        if (stride == 1)
        {
            Array.Copy(items, first, slice, 0, count);
        }
        else
        {
            for (var i = 0; i < count; i++)
            {
                slice[i] = items[first + (i * stride)];
            }
        }

        return slice;
    }

    private static TemplateValue SliceText(
        RenderState state, TemplateValue value, string text, int first, long stride, int count)
    {
        if (count == 0)
        {
            return TemplateValue.Text("", value.IsMarkup);
        }

        var simple = CodePoints.IsSimple(text);
        if (stride == 1)
        {
            var from = simple ? first : CodePoints.Offset(text, first);
            var length = simple ? count : CodePoints.Offset(text.AsSpan(from), count);
            state.Charge(simple ? 0 : text.Length);
            state.Allocate(length);
            return TemplateValue.Text(text.Substring(from, length), value.IsMarkup);
        }

        var characters = CodePoints.Split(state, text);
        var buffer = state.Rent();
        state.Charge(count);
        for (var i = 0; i < count; i++)
        {
            buffer.Write(state, characters[first + (i * stride)].AsText);
        }

        return TemplateValue.Text(state.Return(buffer), value.IsMarkup);
    }

    private static bool IsBound(TemplateValue value) => value.IsMissing || value.Kind == ValueKind.None || value.IsIntegral;

    private static long ReadBound(TemplateValue value, long otherwise) =>
        !value.IsIntegral ? otherwise
        : value.IsSmallIntegral ? Math.Clamp(value.AsLong, -long.MaxValue, long.MaxValue)
        : value.AsBig.Sign < 0 ? -long.MaxValue : long.MaxValue;

    private static long Clamp(long index, long length, long low, long high) =>
        Math.Clamp(index < 0 ? index + length : index, low, high);
}
