// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>For loops and their variable.</summary>
public sealed class LoopsTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}:{{ x }} {% endfor %}", "1032TrueFalse3:3 2121FalseFalse3:1 3210FalseTrue3:2 " },
        { "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {{ loop.cycle('a','b') }} {{ loop.depth }}{{ loop.depth0 }} {{ loop.changed(x > 1) }};{% endfor %}", "<3>1 a 10 True;3<1>2 b 10 True;1<2> a 10 True;" },
        { "{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}={{ x }}{% if not loop.last %},{% endif %}{% else %}none{% endfor %}", "1/2=3,2/2=2" },
        { "{% for x in [] %}a{% else %}empty{% endfor %}", "empty" },
        { "{% for x in undefinedname %}a{% else %}empty{% endfor %}", "empty" },
        { "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for k, v in d|items %}{{ k }}{{ v }}{% endfor %}", "b=1;a=2;items=7;baitemsb1a2items7" },
        { "{% for a, (b, c) in [[1,[2,3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "123" },
        { "{% for c in s %}{{ c }}.{% endfor %}", "h.e.l.l.o. .W.o.r.l.d." },
        { "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %} {% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}", "32 3" },
        { "{% for x in l %}{% for y in l %}{% if y == 1 %}{% break %}{% endif %}{{ loop.index }}{{ x }}{{ y }} {% endfor %}{{ loop.index }}{% endfor %}", "133 1113 2123 3" },
        { "{% for x in [1,[2,[3]]] recursive %}{% if x is iterable %}[{{ loop(x) }}]{% else %}{{ x }}@{{ loop.depth }}{% endif %}{% endfor %}", "1@1[2@2[3@3]]" },
        { "{% for x in range(3) %}{{ x }}{% endfor %}{% for x in range(5, 0, -2) %}{{ x }}{% endfor %}", "012531" },
        { "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}", "123" },
        { "{% for x in l if x > 100 %}a{% else %}none{% endfor %}", "none" },
        { "{% for x in l %}{% set outer = loop %}{% for y in [1] %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}", "11 21 31 " },
        { "{{ loop }}|{% for x in l %}{% endfor %}{{ loop is defined }} {{ x is defined }}", "|False False" },
        { "{% for x in l|sort %}{{ x }}{% if loop.nextitem is defined %},{% endif %}{% endfor %}", "1,2,3" },
        { "{% for x in l|select('gt',1) %}{{ loop.length }}{{ loop.last }}{{ x }}{% endfor %}", "2False32True2" },
        { "{% for m1 in m %}{% if loop.previtem and loop.previtem.role == 'user' %}{{ m1.role }}{% endif %}{% endfor %}", "assistant" },
        { "{% set ns = namespace(stop=false) %}{% for x in range(6) if not ns.stop %}{{ x }}{% if x == 2 %}{% set ns.stop = true %}{% endif %}{% endfor %}", "012" },
        { "{% set ns = namespace(stop=false) %}{% for x in range(6) if not ns.stop %}{{ x }}{{ loop.last }}{% if x == 2 %}{% set ns.stop = true %}{% endif %}{% endfor %}", "0False1False2False3True" },
        { "{% for x in l %}{% else %}{{ x is defined }}{% endfor %}", "" },
        { "{% for x in [1,2] %}{% for y in [] %}{% else %}{% break %}{% endfor %}{{ x }}{% endfor %}end", "end" },
        { "{% for x in l %}{{ loop.nosuch }}|{% endfor %}", "|||" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{% for x in none %}a{% endfor %}", ChatTemplateFault.Evaluation },
        { "{% for x in 5 %}a{% endfor %}", ChatTemplateFault.Evaluation },
        { "{% for a, b in [[1,2],[3]] %}{{ a }}{% endfor %}", ChatTemplateFault.Evaluation },
        { "{% for x in range(100001) %}{% endfor %}", ChatTemplateFault.Limit },
        { "{% break %}", ChatTemplateFault.Syntax },
        { "{% for loop in l %}{% endfor %}", ChatTemplateFault.Syntax },
        { "{% for x in l %}{{ loop() }}{% endfor %}", ChatTemplateFault.Evaluation },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Render_Expression_GivesTheTextOfJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateHarness.Render(template));

    [Theory]
    [MemberData(nameof(Errors))]
    public void Render_WhereJinjaFails_FailsWithTheFault(string template, ChatTemplateFault fault) =>
        Assert.Equal(fault, Assert.Throws<ChatTemplateException>(() => TemplateHarness.Render(template)).Fault);
}
