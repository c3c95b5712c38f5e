using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Library;

/// <summary>The methods of Python's str.</summary>
internal static partial class StringMethods
{
    private static readonly FrozenDictionary<string, MethodFunction> Methods = new Dictionary<string, MethodFunction>
    {
        ["capitalize"] = Simple("capitalize", (state, self) => Same(self, PythonCase.Capitalize(state, self.AsText))),
        ["casefold"] = Simple("casefold", (state, self) => Same(self, PythonCase.Lower(state, self.AsText))),
        ["center"] = Justify("center", (missing, width) => (missing / 2) + (missing & width & 1)),
        ["count"] = Count,
        ["endswith"] = Affix("endswith", atEnd: true),
        ["find"] = Find("find", last: false, required: false),
        ["format"] = (state, self, arguments) => Same(self, BraceFormat.Format(state, self.AsText, arguments)),
        ["index"] = Find("index", last: false, required: true),
        ["isalnum"] = Every("isalnum", rune => Rune.IsLetter(rune) || IsNumeric(rune)),
        ["isalpha"] = Every("isalpha", Rune.IsLetter),
        ["isascii"] = Simple("isascii", (_, self) => TemplateValue.From(Ascii.IsValid(self.AsText))),
        ["isdecimal"] = Every("isdecimal", rune => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber),
        ["isdigit"] = Every("isdigit", IsDigit),
        ["islower"] = Simple("islower", (state, self) => TemplateValue.From(PythonCase.IsAll(Scan(state, self), upper: false))),
        ["isnumeric"] = Every("isnumeric", IsNumeric),
        ["isspace"] = Every("isspace", rune => rune.IsBmp && PythonSpace.IsSpace((char)rune.Value)),
        ["istitle"] = Simple("istitle", (state, self) => TemplateValue.From(PythonCase.IsTitleText(Scan(state, self)))),
        ["isupper"] = Simple("isupper", (state, self) => TemplateValue.From(PythonCase.IsAll(Scan(state, self), upper: true))),
        ["join"] = Join,
        ["ljust"] = Justify("ljust", (_, _) => 0),
        ["lower"] = Simple("lower", (state, self) => Same(self, PythonCase.Lower(state, self.AsText))),
        ["lstrip"] = Strip("lstrip", start: true, end: false),
        ["partition"] = Partition("partition", last: false),
        ["removeprefix"] = RemoveAffix("removeprefix", atEnd: false),
        ["removesuffix"] = RemoveAffix("removesuffix", atEnd: true),
        ["replace"] = Replace,
        ["rfind"] = Find("rfind", last: true, required: false),
        ["rindex"] = Find("rindex", last: true, required: true),
        ["rjust"] = Justify("rjust", (missing, _) => missing),
        ["rpartition"] = Partition("rpartition", last: true),
        ["rsplit"] = Split("rsplit", fromEnd: true),
        ["rstrip"] = Strip("rstrip", start: false, end: true),
        ["split"] = Split("split", fromEnd: false),
        ["splitlines"] = SplitLines,
        ["startswith"] = Affix("startswith", atEnd: false),
        ["strip"] = Strip("strip", start: true, end: true),
        ["swapcase"] = Simple("swapcase", (state, self) => Same(self, PythonCase.SwapCase(state, self.AsText))),
        ["title"] = Simple("title", (state, self) => Same(self, PythonCase.Title(state, self.AsText))),
        ["upper"] = Simple("upper", (state, self) => Same(self, PythonCase.Upper(state, self.AsText))),
        ["zfill"] = ZeroFill,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static MethodFunction? Find(string name) => Methods.GetValueOrDefault(name);

    /// <summary>A text that stays marked as safe when its source was.</summary>
    public static TemplateValue Same(TemplateValue source, string text) => TemplateValue.Text(text, source.IsMarkup);

    private static MethodFunction Simple(string name, Func<RenderState, TemplateValue, TemplateValue> body)
    {
        var signature = new Signature($"method '{name}'");
        return (state, self, arguments) =>
        {
            arguments.Bind(state, signature);
            return body(state, self);
        };
    }

    private static MethodFunction Every(string name, Func<Rune, bool> condition) => Simple(name, (state, self) =>
    {
        var text = Scan(state, self);
        if (text.Length == 0)
        {
            return TemplateValue.False;
        }

        foreach (var rune in text.EnumerateRunes())
        {
            if (!condition(rune))
            {
                return TemplateValue.False;
            }
        }

        return TemplateValue.True;
    });

    private static string Scan(RenderState state, TemplateValue self)
    {
        state.Charge(self.AsText.Length >> 2);
        return self.AsText;
    }

    private static bool IsDigit(Rune rune) =>
        Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber
        || (Rune.GetUnicodeCategory(rune) == UnicodeCategory.OtherNumber && CharUnicodeInfo.GetDigitValue(rune.ToString(), 0) >= 0);

    private static bool IsNumeric(Rune rune) => Rune.GetNumericValue(rune) != -1;
}
