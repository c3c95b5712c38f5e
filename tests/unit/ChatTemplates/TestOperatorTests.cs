// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Tests (is ...).</summary>
public sealed class TestOperatorTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ n is number }} {{ f is number }} {{ t is number }} {{ s is number }} {{ n is integer }} {{ t is integer }} {{ f is integer }} {{ f is float }} {{ n is float }} {{ t is boolean }} {{ n is boolean }}", "True True True False True False False True False True False" },
        { "{{ s is string }} {{ n is string }} {{ l is sequence }} {{ d is sequence }} {{ s is sequence }} {{ d.items() is sequence }} {{ range(3) is sequence }} {{ undefinedname is sequence }} {{ n is sequence }} {{ z is sequence }}", "True False True True True False True True False False" },
        { "{{ l is iterable }} {{ s is iterable }} {{ d is iterable }} {{ n is iterable }} {{ z is iterable }} {{ undefinedname is iterable }} {{ d.items() is iterable }} {{ (l|select) is iterable }}", "True True True False False True True True" },
        { "{{ d is mapping }} {{ l is mapping }} {{ namespace() is mapping }} {{ z is none }} {{ n is none }} {{ undefinedname is none }} {{ undefinedname is defined }} {{ undefinedname is undefined }} {{ z is defined }}", "True False False True False False False True True" },
        { "{{ 3 is odd }} {{ 3 is even }} {{ 4 is divisibleby 2 }} {{ 4 is divisibleby(3) }} {{ t is true }} {{ t is false }} {{ 1 is true }} {{ false is false }} {{ 'ab' is lower }} {{ 'AB' is upper }} {{ 1 is eq 1 }} {{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 1 is in [1] }} {{ 'a' is in 'abc' }} {{ n is sameas 5 }} {{ none is sameas none }} {{ range is callable }} {{ n is callable }} {{ 'upper' is filter }} {{ 'x' is filter }} {{ 'odd' is test }}", "True False True False True False False True True True True True True True True True True True False True False True" },
        { "{{ n is string or 'z' }}", "z" },
        { "{{ 'x' if n is number else 'y' }}", "x" },
        { "{{ strftime_now is defined }} {{ raise_exception is defined }} {{ raise_exception is callable }}", "True True True" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{{ not n is string }} {{ n is not string }} {{ n is not none and n is number }} {{ n is defined and n > 3 }} {{ 1 is eq(1) }} {{ x is defined or true }} {{ 5 is gt 3 }} {{ 5 is >= 3 if false else 1 }}", ChatTemplateFault.Syntax },
        { "{{ 5 is nosuch }}", ChatTemplateFault.Syntax },
        { "{{ 1 is string is defined }}", ChatTemplateFault.Syntax },
        { "{{ 'a' is odd }}", ChatTemplateFault.Evaluation },
        { "{{ n is divisibleby 0 }}", ChatTemplateFault.Evaluation },
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
