// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Literals and syntax errors.</summary>
public sealed class LiteralsTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ 'a\\nb\\t\\x41\\u00e9\\101\\\\\\'\\q' }}", "a\nb\tAéA\\'\\q" },
        { "{{ 'a\\\nb' }}", "ab" },
        { "{{ \"a'b\" }}{{ 'a\"b' }}", "a'ba\"b" },
        { "{{ True }}{{ False }}{{ None }}{{ true }}{{ none }}", "TrueFalseNoneTrueNone" },
        { "{{ [1, 2,] }} {{ {'a': 1,} }} {{ (1, 2,) }} {{ [] }} {{ {} }}", "[1, 2] {'a': 1} (1, 2) [] {}" },
        { "{{ {'a': 1, 'a': 2} }}", "{'a': 2}" },
        { "{{ '\\U0001F600' }}", "😀" },
        { "{{ 1e5 }} {{ 1E-2 }} {{ 12.5e1 }}", "100000.0 0.01 125.0" },
        { "{{ 日本 }}|", "|" },
        { "{% if true: %}a{% endif %}", "a" },
        { "{{ (1) }} {{ ((1)) }} {{ (1,) }} {{ ( ) }}", "1 1 (1,) ()" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{{ 'a' 'b' }} {{ 'a' b }}", ChatTemplateFault.Syntax },
        { "{{ '\\u12' }}", ChatTemplateFault.Syntax },
        { "{{ {[]: 1} }}", ChatTemplateFault.Evaluation },
        { "{{ 1.5 }}{{ .5 }}", ChatTemplateFault.Syntax },
        { "{{ 1. }}", ChatTemplateFault.Syntax },
        { "{{ 012 }}", ChatTemplateFault.Syntax },
        { "{{ [1 2] }}", ChatTemplateFault.Syntax },
        { "{{ (1 }}", ChatTemplateFault.Syntax },
        { "{{ 'a }}", ChatTemplateFault.Syntax },
        { "{{ }}", ChatTemplateFault.Syntax },
        { "{{ a b }}", ChatTemplateFault.Syntax },
        { "{{ 1 + }}", ChatTemplateFault.Syntax },
        { "{{ a. }}", ChatTemplateFault.Syntax },
        { "{{ a[] }}", ChatTemplateFault.Syntax },
        { "{{ a| }}", ChatTemplateFault.Syntax },
        { "{{ @ }}", ChatTemplateFault.Syntax },
        { "{{ a ! b }}", ChatTemplateFault.Syntax },
        { "{{ f(a=1, 2) }}", ChatTemplateFault.Syntax },
        { "{{ f(a=1, a=2) }}", ChatTemplateFault.Syntax },
        { "{{ x if }}", ChatTemplateFault.Syntax },
        { "{% if %}a{% endif %}", ChatTemplateFault.Syntax },
        { "{% if true %}a", ChatTemplateFault.Syntax },
        { "{% endif %}", ChatTemplateFault.Syntax },
        { "{% nosuch %}", ChatTemplateFault.Syntax },
        { "{% for x l %}{% endfor %}", ChatTemplateFault.Syntax },
        { "{{ 1 ", ChatTemplateFault.Syntax },
        { "{% if true ", ChatTemplateFault.Syntax },
        { "{# abc", ChatTemplateFault.Syntax },
        { "{% raw %}x", ChatTemplateFault.Syntax },
        { "{% include 'a' %}", ChatTemplateFault.Syntax },
        { "{% else %}", ChatTemplateFault.Syntax },
        { "{% if true %}{% elif %}{% endif %}", ChatTemplateFault.Syntax },
        { "{% if true %}{% else %}{% else %}{% endif %}", ChatTemplateFault.Syntax },
        { "{% set %}", ChatTemplateFault.Syntax },
        { "{% set x %}a", ChatTemplateFault.Syntax },
        { "{% macro %}{% endmacro %}", ChatTemplateFault.Syntax },
        { "{% if true %}{% endfor %}", ChatTemplateFault.Syntax },
        { "{{ not }}", ChatTemplateFault.Syntax },
        { "{{ 'a' is }}", ChatTemplateFault.Syntax },
        { "{{ x is not }}", ChatTemplateFault.Syntax },
        { "{{ a..b }}", ChatTemplateFault.Syntax },
        { "{{ 5 in }}", ChatTemplateFault.Syntax },
        { "{{ ''' }}", ChatTemplateFault.Syntax },
        { "{{ {'a' 1} }}", ChatTemplateFault.Syntax },
        { "{{ ;1 }}", ChatTemplateFault.Syntax },
        { "{{ 1 ; }}", ChatTemplateFault.Syntax },
        { "{% for x in [1] %}{{ x }}{% endfor x %}", ChatTemplateFault.Syntax },
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
