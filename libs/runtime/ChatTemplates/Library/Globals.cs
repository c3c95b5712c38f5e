using System.Collections.Frozen;
using System.Numerics;
using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>The functions that every template has, unless a value of the same name is passed.</summary>
internal static class Globals
{
    // The bound of Jinja's own sandbox.
    private const int MaxRange = 100_000;

    private static readonly Signature RaiseSignature = new("raise_exception", "message");
    private static readonly Signature ClockSignature = new("strftime_now", "format");
    private static readonly Signature RangeSignature = new("range", "start", "stop?", "step?");
    private static readonly Signature JoinerSignature = new("joiner", "sep?");

    private static readonly FrozenDictionary<string, TemplateValue> All = new Dictionary<string, TemplateValue>
    {
        ["cycler"] = Function("cycler", Cycler),
        ["dict"] = Function("dict", (state, arguments) => TemplateValue.Map(Collect(state, arguments, "dict"))),
        ["joiner"] = Function("joiner", Joiner),
        ["namespace"] = Function("namespace", (state, arguments) =>
            TemplateValue.Object(new NamespaceValue(Collect(state, arguments, "namespace")))),
        ["raise_exception"] = Function("raise_exception", Raise),
        ["range"] = Function("range", Range),
        ["strftime_now"] = Function("strftime_now", Now),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static bool TryGet(string name, out TemplateValue value) => All.TryGetValue(name, out value);

    private static TemplateValue Function(string name, Func<RenderState, CallArguments, TemplateValue> body) =>
        TemplateValue.Object(new FunctionValue(name, body));

    private static TemplateValue Raise(RenderState state, CallArguments arguments)
    {
        var message = arguments.Bind(state, RaiseSignature)[0];
        throw state.Fail(ChatTemplateFault.Raised, PythonText.ToText(state, message));
    }

    private static TemplateValue Now(RenderState state, CallArguments arguments)
    {
        var format = Arguments.Text(state, ClockSignature, arguments.Bind(state, ClockSignature), 0);
        return TemplateValue.From(TimeFormat.Format(state, format, state.Clock.GetLocalNow()));
    }

    private static TemplateValue Range(RenderState state, CallArguments arguments)
    {
        var bound = arguments.Bind(state, RangeSignature);
        foreach (var value in bound)
        {
            if (!value.IsMissing && !value.IsSmallIntegral)
            {
                Comparison.ThrowIfUndefined(state, value);
                throw state.Fail($"range takes integers of 64 bits, not '{value.TypeName}'");
            }
        }

        var (start, stop) = bound[1].IsMissing ? (0L, bound[0].AsLong) : (bound[0].AsLong, bound[1].AsLong);
        var step = bound[2].IsMissing ? 1 : bound[2].AsLong;
        if (step == 0)
        {
            throw state.Fail("the step of range cannot be zero");
        }

        var span = step > 0 ? (BigInteger)stop - start : (BigInteger)start - stop;
        var count = span.Sign <= 0 ? 0 : ((span - 1) / BigInteger.Abs(step)) + 1;
        if (count > MaxRange)
        {
            throw state.Fail(ChatTemplateFault.Limit, $"a range of {count} items exceeds the limit of {MaxRange}");
        }

        var items = state.NewArray((int)count);
        for (var i = 0; i < items.Length; i++)
        {
            items[i] = TemplateValue.From(start + (i * step));
        }

        return TemplateValue.Object(new RangeValue(start, stop, step, items));
    }

    private static TemplateValue Cycler(RenderState state, CallArguments arguments)
    {
        if (arguments.Positional.Length == 0 || arguments.Named.Length > 0)
        {
            throw state.Fail("cycler needs at least one item");
        }

        state.Allocate(32);
        return TemplateValue.Object(new CyclerValue(arguments.Positional));
    }

    private static TemplateValue Joiner(RenderState state, CallArguments arguments)
    {
        var separator = arguments.Bind(state, JoinerSignature)[0];
        state.Allocate(32);
        return TemplateValue.Object(new JoinerValue(separator.IsMissing ? TemplateValue.From(", ") : separator));
    }

    /// <summary>dict(mapping or pairs, name=value...): the arguments of both dict and namespace.</summary>
    private static MapValue Collect(RenderState state, CallArguments arguments, string owner)
    {
        if (arguments.Positional.Length > 1)
        {
            throw state.Fail($"{owner} takes one mapping at most");
        }

        var map = new MapValue();
        if (arguments.Positional is [var source])
        {
            AddFrom(state, map, source, owner);
        }

        state.AllocateItems(arguments.Named.Length * 2L);
        foreach (var argument in arguments.Named)
        {
            map.Set(TemplateValue.From(argument.Name), argument.Value);
        }

        return map;
    }

    private static void AddFrom(RenderState state, MapValue map, TemplateValue source, string owner)
    {
        if (source.Kind == ValueKind.Map)
        {
            state.AllocateItems(source.AsMap.Count * 2L);
            for (var i = 0; i < source.AsMap.Count; i++)
            {
                map.Set(source.AsMap[i].Key, source.AsMap[i].Value);
            }

            return;
        }

        foreach (var item in Sequences.Items(state, source))
        {
            state.AllocateItems(2);
            var pair = Sequences.Items(state, item);
            if (pair.Length != 2)
            {
                throw state.Fail($"{owner} needs a mapping or pairs");
            }

            Comparison.RequireKey(state, pair[0]);
            map.Set(pair[0], pair[1]);
        }
    }
}
