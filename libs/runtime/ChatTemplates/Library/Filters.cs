using System.Collections.Frozen;
using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>The filters by name. Those of Jinja that are absent: date, size, HTML and link formatting, random, groupby.</summary>
internal static partial class Filters
{
    private static readonly FrozenDictionary<string, FilterFunction> All = new Dictionary<string, FilterFunction>
    {
        ["abs"] = With("abs", [], static (state, value, _) => Absolute(state, value)),
        ["attr"] = With("attr", ["name"], Attribute),
        ["batch"] = With("batch", ["linecount", "fill_with?"], Batch),
        ["capitalize"] = OnText("capitalize", PythonCase.Capitalize),
        ["center"] = With("center", ["width?"], Center),
        ["count"] = With("count", [], Length),
        ["d"] = With("d", ["default_value?", "boolean?"], Default),
        ["default"] = With("default", ["default_value?", "boolean?"], Default),
        ["dictsort"] = With("dictsort", ["case_sensitive?", "by?", "reverse?"], DictSort),
        ["e"] = With("e", [], Escape),
        ["escape"] = With("escape", [], Escape),
        ["first"] = With("first", [], First),
        ["float"] = With("float", ["default?"], ToFloat),
        ["forceescape"] = With("forceescape", [], ForceEscape),
        ["format"] = Format,
        ["indent"] = With("indent", ["width?", "first?", "blank?"], Indent),
        ["int"] = With("int", ["default?", "base?"], ToInteger),
        ["items"] = With("items", [], Items),
        ["join"] = With("join", ["d?", "attribute?"], Join),
        ["last"] = With("last", [], Last),
        ["length"] = With("length", [], Length),
        ["list"] = With("list", [], static (state, value, _) => ToList(state, value)),
        ["lower"] = OnText("lower", PythonCase.Lower),
        ["map"] = Map,
        ["max"] = With("max", ["case_sensitive?", "attribute?"], static (state, value, bound) => Extreme(state, value, bound, 1)),
        ["min"] = With("min", ["case_sensitive?", "attribute?"], static (state, value, bound) => Extreme(state, value, bound, -1)),
        ["reject"] = Selection(byAttribute: false, keep: false),
        ["rejectattr"] = Selection(byAttribute: true, keep: false),
        ["replace"] = With("replace", ["old", "new", "count?"], Replace),
        ["reverse"] = With("reverse", [], Reverse),
        ["round"] = With("round", ["precision?", "method?"], Round),
        ["safe"] = With("safe", [], static (state, value, _) => TemplateValue.Markup(PythonText.ToText(state, value))),
        ["select"] = Selection(byAttribute: false, keep: true),
        ["selectattr"] = Selection(byAttribute: true, keep: true),
        ["slice"] = With("slice", ["slices", "fill_with?"], Slice),
        ["sort"] = With("sort", ["reverse?", "case_sensitive?", "attribute?"], Sort),
        ["string"] = With("string", [], static (state, value, _) => AsText(state, value)),
        ["sum"] = With("sum", ["attribute?", "start?"], Sum),
        ["title"] = OnText("title", TitleWords),
        ["tojson"] = With("tojson", ["ensure_ascii?", "indent?", "separators?", "sort_keys?"], ToJson),
        ["trim"] = With("trim", ["chars?"], Trim),
        ["truncate"] = With("truncate", ["length?", "killwords?", "end?", "leeway?"], Truncate),
        ["unique"] = With("unique", ["case_sensitive?", "attribute?"], Unique),
        ["upper"] = OnText("upper", PythonCase.Upper),
        ["urlencode"] = With("urlencode", [], static (state, value, _) => UrlEncode(state, value)),
        ["wordcount"] = With("wordcount", [], WordCount),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private delegate TemplateValue BoundFilter(RenderState state, TemplateValue value, TemplateValue[] bound);

    public static FilterFunction? Find(string name) => All.GetValueOrDefault(name);

    public static bool Exists(string name) => All.ContainsKey(name);

    private static FilterFunction With(string name, string[] parameters, BoundFilter body)
    {
        var signature = new Signature($"filter '{name}'", parameters);
        return (state, value, arguments) => body(state, value, arguments.Bind(state, signature));
    }

    private static FilterFunction OnText(string name, Func<RenderState, string, string> body) =>
        With(name, [], (state, value, _) => StringMethods.Same(value, body(state, PythonText.ToText(state, value))));

    /// <summary>str(value) that keeps the mark of safe text.</summary>
    private static TemplateValue AsText(RenderState state, TemplateValue value) =>
        value.IsText ? value : TemplateValue.From(PythonText.ToText(state, value));

    private static int WholeNumber(RenderState state, TemplateValue value, int otherwise, string what)
    {
        if (value.IsMissing)
        {
            return otherwise;
        }

        Comparison.ThrowIfUndefined(state, value);
        return value.IsSmallIntegral
            ? (int)Math.Clamp(value.AsLong, -int.MaxValue, int.MaxValue)
            : throw state.Fail($"{what} must be an integer, not '{value.TypeName}'");
    }
}
