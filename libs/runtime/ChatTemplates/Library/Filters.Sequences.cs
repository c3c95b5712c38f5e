using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>Filters over lists and mappings.</summary>
internal static partial class Filters
{
    private static TemplateValue Generator(TemplateValue[] items) => TemplateValue.Object(new GeneratorValue(items));

    private static TemplateValue Length(RenderState state, TemplateValue value, TemplateValue[] bound) =>
        TemplateValue.From(Sequences.Length(state, value));

    private static TemplateValue ToList(RenderState state, TemplateValue value)
    {
        var items = Sequences.Items(state, value);
        state.AllocateItems(items.Length);
        return TemplateValue.List([.. items]);
    }

    private static TemplateValue Items(RenderState state, TemplateValue value, TemplateValue[] bound) => value.Kind switch
    {
        ValueKind.Map => Generator(new MapView(value.AsMap, MapViewKind.Items).Items(state)),
        ValueKind.Missing or ValueKind.Undefined => Generator([]),
        _ => throw state.Fail($"only a mapping has items, not '{value.TypeName}'"),
    };

    private static TemplateValue First(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        if (value.Kind == ValueKind.Object && value.AsObject is GeneratorValue generator)
        {
            return generator.TryNext(out var item) ? item : Empty("first");
        }

        if (value.IsText)
        {
            return CodePoints.At(state, value.AsText, 0) is { } character ? TemplateValue.From(character) : Empty("first");
        }

        return Sequences.Items(state, value) is [var first, ..] ? first : Empty("first");
    }

    private static TemplateValue Last(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        if (value.IsText)
        {
            return CodePoints.At(state, value.AsText, -1) is { } character ? TemplateValue.From(character) : Empty("last");
        }

        return RequireReversible(state, value) is [.., var last] ? last : Empty("last");
    }

    private static TemplateValue Reverse(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        if (value.IsText)
        {
            return StringMethods.Same(value, CodePoints.Reverse(state, value.AsText));
        }

        // Jinja falls back to a list where there is no reversed(), for example for generators.
        var items = Sequences.Items(state, value);
        state.AllocateItems(items.Length);
        TemplateValue[] reversed = [.. items];
        Array.Reverse(reversed);
        return value.Kind == ValueKind.Object && value.AsObject is GeneratorValue
            ? TemplateValue.List(reversed)
            : TemplateValue.Object(new GeneratorValue(reversed, "reversed"));
    }

    private static TemplateValue[] RequireReversible(RenderState state, TemplateValue value)
    {
        return value.Kind == ValueKind.Object && value.AsObject is GeneratorValue
            ? throw state.Fail("a generator has no last item: make it a list first")
            : Sequences.Items(state, value);
    }

    private static TemplateValue Empty(string which) =>
        TemplateValue.Undefined(UndefinedOrigin.Hint($"there is no {which} item, the sequence is empty"));

    /// <summary>What map and select go through: nothing for every false value, also for none and 0.</summary>
    private static TemplateValue[] ItemsIfTrue(RenderState state, TemplateValue value) =>
        Truth.Of(value) ? Sequences.Items(state, value) : [];

    private static TemplateValue Map(RenderState state, TemplateValue value, CallArguments arguments)
    {
        var items = ItemsIfTrue(state, value);
        var mapped = state.NewArray(items.Length);
        if (arguments.Positional.Length == 0)
        {
            var path = arguments.FindNamed("attribute") ?? throw state.Fail("it needs a filter's name or an attribute");
            if (arguments.Named.Any(argument => argument.Name is not ("attribute" or "default")))
            {
                throw state.Fail("it takes no other names than 'attribute' and 'default'");
            }

            var otherwise = arguments.FindNamed("default") ?? default;
            for (var i = 0; i < items.Length; i++)
            {
                mapped[i] = AttributePath.Get(state, items[i], path, otherwise);
            }

            return Generator(mapped);
        }

        // The named filter may be 'map' again: the arguments can nest it as deep as there are arguments.
        state.Enter(1);
        state.Charge(arguments.Positional.Length);
        var filter = NamedFilter(state, arguments.Positional[0]);
        var rest = arguments.Skip(1);
        for (var i = 0; i < items.Length; i++)
        {
            state.Charge(1);
            mapped[i] = filter(state, items[i], rest);
        }

        state.Leave(1);
        return Generator(mapped);
    }

    private static FilterFunction Selection(bool byAttribute, bool keep) => (state, value, arguments) =>
    {
        var path = default(TemplateValue);
        if (byAttribute)
        {
            path = arguments.Positional.Length > 0 ? arguments.Positional[0] : throw state.Fail("it needs an attribute's name");
            arguments = arguments.Skip(1);
        }

        TestFunction test = (_, item, _) => Truth.Of(item);
        if (arguments.Positional.Length > 0)
        {
            test = NamedTest(state, arguments.Positional[0]);
            arguments = arguments.Skip(1);
        }

        var items = ItemsIfTrue(state, value);
        state.AllocateItems(items.Length);
        var kept = new List<TemplateValue>();
        foreach (var item in items)
        {
            var subject = byAttribute ? AttributePath.Get(state, item, path) : item;
            if (test(state, subject, arguments) == keep)
            {
                kept.Add(item);
            }
        }

        return Generator([.. kept]);
    };

    private static FilterFunction NamedFilter(RenderState state, TemplateValue name) =>
        (name.IsText ? Find(name.AsText) : null)
        ?? throw state.Fail($"there is no filter '{PythonText.ToText(state, name)}'");

    private static TestFunction NamedTest(RenderState state, TemplateValue name) =>
        (name.IsText ? Tests.Find(name.AsText) : null)
        ?? throw state.Fail($"there is no test '{PythonText.ToText(state, name)}'");

    private static TemplateValue Sort(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var items = Sequences.Items(state, value);
        var foldCase = !Arguments.Flag(bound, 1);
        var keys = state.NewArray(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            keys[i] = SortKey(state, items[i], bound[2], foldCase);
        }

        return TemplateValue.List(Sorting.ByKeys(state, items, keys, Arguments.Flag(bound, 0)));
    }

    /// <summary>Several attributes, parted by commas, are compared one after another.</summary>
    private static TemplateValue SortKey(RenderState state, TemplateValue item, TemplateValue attribute, bool foldCase)
    {
        if (!attribute.IsText || !attribute.AsText.Contains(',', StringComparison.Ordinal))
        {
            return Folded(state, Arguments.IsAbsent(attribute) ? item : AttributePath.Get(state, item, attribute), foldCase);
        }

        var paths = attribute.AsText.Split(',');
        var parts = state.NewArray(paths.Length);
        for (var i = 0; i < paths.Length; i++)
        {
            parts[i] = Folded(state, AttributePath.Get(state, item, TemplateValue.From(paths[i])), foldCase);
        }

        return TemplateValue.Tuple(parts);
    }

    private static TemplateValue Folded(RenderState state, TemplateValue value, bool foldCase) =>
        foldCase && value.IsText ? TemplateValue.From(PythonCase.Lower(state, value.AsText)) : value;

    private static TemplateValue DictSort(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        if (value.Kind != ValueKind.Map)
        {
            Comparison.ThrowIfUndefined(state, value);
            throw state.Fail($"it sorts a mapping, not '{value.TypeName}'");
        }

        var by = bound[1].IsMissing ? "key" : PythonText.ToText(state, bound[1]);
        if (by is not ("key" or "value"))
        {
            throw state.Fail("it sorts by 'key' or by 'value'");
        }

        var items = new MapView(value.AsMap, MapViewKind.Items).Items(state);
        var keys = state.NewArray(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            keys[i] = Folded(state, items[i].AsArray[by == "key" ? 0 : 1], !Arguments.Flag(bound, 0));
        }

        return TemplateValue.List(Sorting.ByKeys(state, items, keys, Arguments.Flag(bound, 2)));
    }

    private static TemplateValue Unique(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var seen = new HashSet<TemplateValue>(KeyComparer.Instance);
        var items = Sequences.Items(state, value);
        state.AllocateItems(items.Length);
        var kept = new List<TemplateValue>();
        foreach (var item in items)
        {
            var key = Folded(
                state, Arguments.IsAbsent(bound[1]) ? item : AttributePath.Get(state, item, bound[1]), !Arguments.Flag(bound, 0));
            Comparison.RequireKey(state, key);
            if (seen.Add(key))
            {
                kept.Add(item);
            }
        }

        return Generator([.. kept]);
    }

    private static TemplateValue Extreme(RenderState state, TemplateValue value, TemplateValue[] bound, int sign)
    {
        var best = default(TemplateValue);
        var bestKey = default(TemplateValue);
        foreach (var item in Sequences.Items(state, value))
        {
            state.Charge(1);
            var key = Folded(
                state, Arguments.IsAbsent(bound[1]) ? item : AttributePath.Get(state, item, bound[1]), !Arguments.Flag(bound, 0));
            if (best.IsMissing || Comparison.Order(state, key, bestKey, "comparing") * sign > 0)
            {
                (best, bestKey) = (item, key);
            }
        }

        return best.IsMissing ? Empty("smallest or largest") : best;
    }

    private static TemplateValue Sum(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var total = bound[1].IsMissing ? TemplateValue.From(0) : bound[1];
        if (total.IsText)
        {
            throw state.Fail("it does not add up texts: use 'join'");
        }

        foreach (var item in Sequences.Items(state, value))
        {
            state.Charge(1);
            total = Arithmetic.Add(state, total, Arguments.IsAbsent(bound[0]) ? item : AttributePath.Get(state, item, bound[0]));
        }

        return total;
    }

    /// <summary>Rows of a length; the last one filled up if a filling is given.</summary>
    private static TemplateValue Batch(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var length = WholeNumber(state, bound[0], 1, "'linecount'");
        var items = Sequences.Items(state, value);
        if (length <= 0)
        {
            throw state.Fail("'linecount' must be positive");
        }

        var rows = state.NewArray((items.Length + length - 1) / length);
        for (var i = 0; i < rows.Length; i++)
        {
            var row = items.AsSpan(i * length, Math.Min(length, items.Length - (i * length)));
            rows[i] = TemplateValue.List(Filled(state, row, length, bound[1]));
        }

        return Generator(rows);
    }

    /// <summary>A number of columns of nearly equal length.</summary>
    private static TemplateValue Slice(RenderState state, TemplateValue value, TemplateValue[] bound)
    {
        var count = WholeNumber(state, bound[0], 1, "'slices'");
        var items = Sequences.Items(state, value);
        if (count <= 0)
        {
            throw state.Fail("'slices' must be positive");
        }

        var columns = state.NewArray(count);
        var (length, longer) = Math.DivRem(items.Length, count);
        for (var (i, start) = (0, 0); i < count; i++)
        {
            var size = length + (i < longer ? 1 : 0);
            var fill = i >= longer && longer > 0 ? bound[1] : default;
            columns[i] = TemplateValue.List(Filled(state, items.AsSpan(start, size), size + 1, fill));
            start += size;
        }

        return Generator(columns);
    }

    private static TemplateValue[] Filled(RenderState state, ReadOnlySpan<TemplateValue> items, int length, TemplateValue fill)
    {
        var filled = state.NewArray(Arguments.IsAbsent(fill) ? items.Length : length);
        filled.AsSpan().Fill(fill);
        items.CopyTo(filled);
        return filled;
    }
}
