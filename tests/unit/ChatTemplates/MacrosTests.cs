// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Macros and call blocks.</summary>
public sealed class MacrosTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{% macro f(a, b=2, c='x') %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ f(1) }} {{ f(1, 3) }} {{ f(a=5, c=6) }} {{ f(1, c='z') }}", "1-2-x 1-3-x 5-2-6 1-2-z" },
        { "{% macro f(a) %}[{{ a }}]{% endmacro %}{{ f() }} {{ f(none) }}", "[] [None]" },
        { "{% macro f() %}{{ varargs }} {{ kwargs }}{% endmacro %}{{ f(1, 2, x=3) }}", "(1, 2) {'x': 3}" },
        { "{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(4) }}", "4321" },
        { "{% macro wrap(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% call wrap('b') %}body {{ n }}{% endcall %}", "<b>body 5</b>" },
        { "{% macro lst(items) %}{% for i in items %}{{ caller(i, loop.index) }};{% endfor %}{% endmacro %}{% call(x, k) lst(l) %}{{ k }}={{ x }}{% endcall %}", "1=3;2=1;3=2;" },
        { "{% macro f() %}{{ caller is defined }}{% endmacro %}{{ f() }}", "False" },
        { "{% macro f(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}", "11" },
        { "{% set x = 1 %}{% macro f() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ f() }}", "2" },
        { "{% macro f() %}{{ y }}{% endmacro %}{% set y = 2 %}{{ f() }}", "2" },
        { "{% macro f() %}{% set n = 7 %}{{ n }}{% endmacro %}{{ f() }}{{ n }}", "75" },
        { "{% macro f(a) %}{{ a }}{% endmacro %}{{ f }} {{ f.name }} {{ f.arguments }} {{ f is callable }} {{ f('x')|upper }} {{ f('x') ~ 'y' }} {{ f('q') is string }}", "<Macro 'f'> f ('a',) True X xy True" },
        { "{% for i in l %}{% macro f() %}{{ i }}{% endmacro %}{{ f() }}{% endfor %}", "312" },
        { "{% macro f(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ f(*[1,2]) }} {{ f(**{'a':3,'b':4}) }} {{ f(1, *[9]) }}", "12 34 19" },
        { "{% macro outer() %}{% macro inner() %}in{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }} {{ inner is defined }}", "in False" },
        { "{%- macro a(x) -%} {{ x }} {%- endmacro -%}[{{ a(1) }}]", "[1]" },
        { "{% macro f(kwargs) %}{{ kwargs }}{% endmacro %}{{ f(3) }}", "3" },
        { "{% macro m2(x) %}{% if x %}{{ caller(x) }}{% endif %}{% endmacro %}{% macro m1(x) %}{% call(y) m2(x) %}<{{ y }}>{% endcall %}{% endmacro %}{{ m1(5) }}", "<5>" },
        { "{% macro f(loop) %}{{ loop }}{% endmacro %}{{ f(1) }}", "1" },
        { "{% for i in l %}{% macro f() %}{{ loop is defined }}{% endmacro %}{{ f() }}{% endfor %}", "TrueTrueTrue" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", ChatTemplateFault.Evaluation },
        { "{% macro f(a) %}{% endmacro %}{{ f(b=2) }}", ChatTemplateFault.Evaluation },
        { "{% macro f(a) %}{% endmacro %}{{ f(1, a=2) }}", ChatTemplateFault.Evaluation },
        { "{% macro f() %}x{% endmacro %}{% call f() %}y{% endcall %}", ChatTemplateFault.Evaluation },
        { "{{ g() }}{% macro g() %}x{% endmacro %}", ChatTemplateFault.Evaluation },
        { "{% macro f(a=1, b) %}{% endmacro %}", ChatTemplateFault.Syntax },
        { "{% call n %}{% endcall %}", ChatTemplateFault.Syntax },
        { "{% for i in l %}{% call wrap() %}{% endcall %}{% endfor %}", ChatTemplateFault.Evaluation },
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
