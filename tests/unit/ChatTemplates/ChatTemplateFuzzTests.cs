using CsCheck;
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Whatever is handed in as a template, nothing but a <see cref="ChatTemplateException"/> comes out, and soon.</summary>
public sealed class ChatTemplateFuzzTests
{
    private static readonly RenderLimits Limits = new() { MaxSteps = 20_000, MaxIntermediateSize = 1 << 20, MaxOutputLength = 1 << 16 };

    private static readonly string[] Pieces =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-%}", "{%-", "{{-", "+%}", " if ", " else ", " elif ", "endif", "for ", " in ", "endfor", "set ",
        "endset", "macro f(a, b=1)", "endmacro", "call f()", "endcall", "filter upper", "endfilter", "raw", "endraw", "break", "continue", "with ",
        "endwith", "generation", "endgeneration", " recursive", "namespace()", "ns.x", "loop", "loop.index", "loop.nextitem", "loop(l)", "m", "m[0]",
        ".role", "['content']", "[1:]", "[::-1]", "[-1]", "|", "tojson", "trim", "length", "join(',')", "map('upper')", "selectattr('role')", "list",
        "sort", "replace('a','b')", "default('x')", "indent", " is ", "defined", "string", "not ", "none", " and ", " or ", "==", "<", " ~ ", "+", "-",
        "*", "/", "//", "%", "**", "(", ")", "[", "]", "{", "}", ",", ":", ".", "=", "'", "\"", "'text'", "\\", "0", "1", "2.5", "10**5", "true", "\n",
        " ", "x", "s", "u", "range(9)", "raise_exception('x')", "strftime_now('%Y')", ".split(',')", ".items()", ".format(1)", "'%s'%", "caller()",
        "👍", "\ud800", "\0", "é",
    ];

    [Fact]
    public void ParseAndRender_RandomPieces_FailOnlyWithChatTemplateException() =>
        OneOf(Pieces).Array[1, 40].Sample(pieces => Survives(string.Concat(pieces)), iter: 4_000);

    [Fact]
    public void ParseAndRender_RandomExpressions_FailOnlyWithChatTemplateException()
    {
        var atom = OneOf(
            "m", "s", "u", "l", "d", "n", "f", "t", "z", "e", "q", "big", "words", "undefinedname", "'%d {} %s'", "[1,'a']", "{'a':1}", "(1,2)",
            "range(3)", "namespace(a=1)", "loop", "-1", "0", "1.5", "''", "joiner()", "m[1]", "d.items()", "(l|select)", "s.upper", "none", "true");
        var link = OneOf(
            " + ", " - ", " * ", " / ", " // ", " % ", " ** ", " ~ ", " == ", " < ", " in ", " not in ", " and ", " or ", " if ", "|map('int') ~ ",
            "|join(',') + ", "|tojson ~ ", "|sort == ", "[0] or ", "[::2] + ", ".x or ", "|length * ", "|default(1) + ", "|string * ", "|items|list + ",
            "|batch(2)|list + ", "|dictsort + ", "|unique|list + ", "|first|string ~ ", "|float / ", "|round(1) - ", "|indent + ", "|replace('a', 1) ~ ",
            ".split('a') + ", ".center(9) ~ ", ".get(1) or ", "|selectattr('role')|list + ", "|truncate(5) ~ ", " is sequence or ", "|urlencode ~ ");
        Gen.Select(atom, link).Array[1, 6].Select(atom, (pairs, last) =>
                "{% for i in [1, 2] %}{{ " + string.Concat(pairs.Select(pair => pair.Item1 + pair.Item2)) + last + " }}{% endfor %}")
            .Sample(Survives, iter: 8_000);
    }

    private static Gen<string> OneOf(params string[] choices) => Gen.Int[0, choices.Length - 1].Select(index => choices[index]);

    private static void Survives(string source)
    {
        try
        {
            var text = ChatTemplate.Parse(source, "fuzz").Render(TemplateHarness.Values, Limits, TimeProvider.System);
            Assert.True(text.Length <= Limits.MaxOutputLength);
        }
        catch (ChatTemplateException error)
        {
            Assert.NotEqual("", error.Message);
        }
    }
}
