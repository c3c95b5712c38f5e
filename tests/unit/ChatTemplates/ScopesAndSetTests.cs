// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Scopes, set, with and filter blocks.</summary>
public sealed class ScopesAndSetTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{% set x = 1 %}{% for i in l %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}", "2221" },
        { "{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "6" },
        { "{% for i in l %}{{ y is defined }}{% set y = i %}{{ y }}{% endfor %}{{ y is defined }}", "False3False1False2False" },
        { "{% if true %}{% set a = 1 %}{% endif %}{{ a }}", "1" },
        { "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "12" },
        { "{% set a = 1, 2 %}{{ a }}", "(1, 2)" },
        { "{% set a %}text {{ n }}{% endset %}[{{ a }}]", "[text 5]" },
        { "{% set a | upper | trim %} text {% endset %}[{{ a }}]", "[TEXT]" },
        { "{% set ns = namespace() %}{% set ns.a %}blk{% endset %}{{ ns.a }}{{ ns.b is defined }}", "blkFalse" },
        { "{% set n = n + 1 %}{{ n }}", "6" },
        { "{% with a = 1, b = n %}{{ a }}{{ b }}{% set a = 5 %}{{ a }}{% endwith %}{{ a is defined }}", "155False" },
        { "{% set a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "211" },
        { "{% filter upper %}abc{{ s }}{% endfilter %}", "ABCHELLO WORLD" },
        { "{% filter replace('a','b') | upper %}aa{% endfilter %}", "BB" },
        { "{% set x = 1 %}{% set x %}{{ x }}2{% endset %}{{ x }}", "12" },
        { "{% for i in l %}{% if i == 1 %}{% set found = true %}{% endif %}{% endfor %}{{ found is defined }}", "False" },
        { "{% for i in l %}{% if i == 3 %}{% set n = 99 %}{% endif %}{{ n }} {% endfor %}", "99 5 5 " },
        { "{% set a, (b, c) = 1, (2, 3) %}{{ a }}{{ b }}{{ c }}", "123" },
        { "{% set messages = m[1:] %}{{ messages|length }}", "1" },
        { "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{{ ns['a'] }}", "121" },
        { "{% set f = s.upper %}{{ f() }}", "HELLO WORLD" },
        { "{% set ns = namespace(l=[]) %}{% for i in l %}{% set ns.l = ns.l + [i * 2] %}{% endfor %}{{ ns.l }}", "[6, 2, 4]" },
        { "{% set _ = 5 %}{{ _ }}", "5" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{% set d.x = 1 %}", ChatTemplateFault.Evaluation },
        { "{% set nosuch.x = 1 %}", ChatTemplateFault.Evaluation },
        { "{% set a, b = [1] %}", ChatTemplateFault.Evaluation },
        { "{% set true = 1 %}", ChatTemplateFault.Syntax },
        { "{% set x = y = 1 %}", ChatTemplateFault.Syntax },
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
