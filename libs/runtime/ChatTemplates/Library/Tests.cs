using System.Collections.Frozen;
using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>The tests by name: <c>value is name</c>.</summary>
internal static class Tests
{
    private static readonly FrozenDictionary<string, TestFunction> All = new Dictionary<string, TestFunction>
    {
        ["boolean"] = Plain("boolean", value => value.Kind == ValueKind.Boolean),
        ["callable"] = Plain("callable", value => value.Kind == ValueKind.Object && value.AsObject.IsCallable),
        ["defined"] = Plain("defined", value => !value.IsUndefined),
        ["divisibleby"] = With("divisibleby", "num", (state, value, other) => !Truth.Of(Arithmetic.Modulo(state, value, other))),
        ["escaped"] = Plain("escaped", value => value.IsMarkup),
        ["even"] = WithState("even", (state, value) => IsRemainder(state, value, 0)),
        ["false"] = Plain("false", value => value.Kind == ValueKind.Boolean && !value.AsBoolean),
        ["filter"] = Plain("filter", value => value.IsText && Filters.Exists(value.AsText)),
        ["float"] = Plain("float", value => value.Kind == ValueKind.Float),
        ["in"] = With("in", "seq", (state, value, other) => Comparison.Contains(state, other, value)),
        ["integer"] = Plain("integer", value => value.Kind == ValueKind.Integer),
        ["iterable"] = Plain("iterable", Sequences.IsIterable),
        ["lower"] = WithState("lower", (state, value) => PythonCase.IsAll(Scan(state, value), upper: false)),
        ["mapping"] = Plain("mapping", value => value.Kind == ValueKind.Map),
        ["none"] = Plain("none", value => value.Kind == ValueKind.None),
        ["number"] = Plain("number", value => value.IsNumber),
        ["odd"] = WithState("odd", (state, value) => IsRemainder(state, value, 1)),
        ["sameas"] = With("sameas", "other", (_, value, other) => IsSame(value, other)),
        ["sequence"] = Plain("sequence", IsSequence),
        ["string"] = Plain("string", value => value.IsText),
        ["test"] = Plain("test", value => value.IsText && Exists(value.AsText)),
        ["true"] = Plain("true", value => value.Kind == ValueKind.Boolean && value.AsBoolean),
        ["undefined"] = Plain("undefined", value => value.IsUndefined),
        ["upper"] = WithState("upper", (state, value) => PythonCase.IsAll(Scan(state, value), upper: true)),
        ["=="] = Equality("==", expected: true),
        ["eq"] = Equality("eq", expected: true),
        ["equalto"] = Equality("equalto", expected: true),
        ["!="] = Equality("!=", expected: false),
        ["ne"] = Equality("ne", expected: false),
        [">"] = Ordering(">", order => order > 0),
        ["gt"] = Ordering("gt", order => order > 0),
        ["greaterthan"] = Ordering("greaterthan", order => order > 0),
        [">="] = Ordering(">=", order => order >= 0),
        ["ge"] = Ordering("ge", order => order >= 0),
        ["<"] = Ordering("<", order => order < 0),
        ["lt"] = Ordering("lt", order => order < 0),
        ["lessthan"] = Ordering("lessthan", order => order < 0),
        ["<="] = Ordering("<=", order => order <= 0),
        ["le"] = Ordering("le", order => order <= 0),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static TestFunction? Find(string name) => All.GetValueOrDefault(name);

    public static bool Exists(string name) => All.ContainsKey(name);

    private static TestFunction Plain(string name, Func<TemplateValue, bool> body) => WithState(name, (_, value) => body(value));

    private static TestFunction WithState(string name, Func<RenderState, TemplateValue, bool> body)
    {
        var signature = new Signature($"test '{name}'");
        return (state, value, arguments) =>
        {
            arguments.Bind(state, signature);
            return body(state, value);
        };
    }

    private static TestFunction With(string name, string parameter, Func<RenderState, TemplateValue, TemplateValue, bool> body)
    {
        var signature = new Signature($"test '{name}'", parameter);
        return (state, value, arguments) => body(state, value, arguments.Bind(state, signature)[0]);
    }

    private static TestFunction Equality(string name, bool expected) =>
        With(name, "other", (state, value, other) => Comparison.Equal(state, value, other) == expected);

    private static TestFunction Ordering(string name, Func<int?, bool> condition) =>
        With(name, "other", (state, value, other) => condition(Comparison.Order(state, value, other, $"test '{name}'")));

    private static bool IsRemainder(RenderState state, TemplateValue value, long expected) => value.IsText
        ? throw state.Fail("a text is neither odd nor even")
        :
        NumberComparison.Equal(Arithmetic.Modulo(state, value, TemplateValue.From(2)), TemplateValue.From(expected));

    private static bool IsSequence(TemplateValue value) => value.Kind switch
    {
        ValueKind.Text or ValueKind.List or ValueKind.Tuple or ValueKind.Map => true,
        ValueKind.Object => value.AsObject.IsSequence,
        _ => value.IsUndefined,
    };

    private static bool IsSame(TemplateValue left, TemplateValue right) =>
        left.Kind == right.Kind && left.Kind switch
        {
            ValueKind.Boolean => left.AsBoolean == right.AsBoolean,
            ValueKind.Integer => left.AsBig == right.AsBig,
            ValueKind.Float => left.AsFloat.Equals(right.AsFloat),
            ValueKind.Text => string.Equals(left.AsText, right.AsText, StringComparison.Ordinal),
            ValueKind.None or ValueKind.Undefined => true,
            _ => ReferenceEquals(left.Reference, right.Reference),
        };

    private static string Scan(RenderState state, TemplateValue value)
    {
        var text = PythonText.ToText(state, value);
        state.Charge(text.Length >> 2);
        return text;
    }
}
