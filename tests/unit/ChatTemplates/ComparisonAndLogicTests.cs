// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Comparison, membership, truth and the inline if.</summary>
public sealed class ComparisonAndLogicTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ 1 < 2 }} {{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }} {{ 'a' == 'a' }} {{ [1,2] == [1,2] }} {{ [1,2] < [1,3] }} {{ (1,2) == [1,2] }} {{ {'a':1} == {'a':1.0} }} {{ none == none }} {{ none == false }} {{ 1 != 2 }}", "True True False True True True True True True False True True False True" },
        { "{{ 'a' in 'abc' }} {{ 'd' not in 'abc' }} {{ 1 in [1,2] }} {{ 'a' in {'a':1} }} {{ 1 in range(3) }} {{ '' in 'a' }} {{ none in [none] }} {{ 'x' in undefinedname }} {{ 1.0 in [1] }} {{ 'b' in d.keys() }}", "True True True True True True True False True True" },
        { "{{ undefinedname == undefinedname2 }} {{ undefinedname == none }} {{ undefinedname == '' }} {{ undefinedname != 1 }}", "True False False True" },
        { "{{ 0 or 'x' }} {{ 'a' and 'b' }} {{ '' and 'b' }}| {{ none or false }} {{ not 1 }} {{ not '' }} {{ not not [] }} {{ 1 and 0 or 3 }}", "x b | False False True False 3" },
        { "{{ not 1 == 2 }} {{ not 'a' in 'b' }} {{ 1 not in [2] }}", "True True True" },
        { "{{ 'yes' if t else 'no' }} {{ 'yes' if z else 'no' }} {{ 'x' if false }}| {{ 'a' if false else 'b' if false else 'c' }} {{ ('x' if false) is undefined }}", "yes no | c True" },
        { "{{ 9007199254740993 == 9007199254740992.0 }} {{ 9007199254740993 > 9007199254740992.0 }} {{ big > 1e19 }} {{ 1 < 1.5 }} {{ 2**70 == 2.0**70 }}", "False True True True True" },
        { "{{ 'Z' < 'a' }} {{ '\\uffff' < '👍' }} {{ u == '日本👍é' }}", "True True True" },
        { "{% if l %}a{% endif %}{% if e %}b{% endif %}{% if 0.0 %}c{% endif %}{% if range(0) %}d{% endif %}{% if {} %}e{% endif %}{% if namespace() %}f{% endif %}{% if l|select %}g{% endif %}{% if []|select %}h{% endif %}", "afgh" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{{ 1 in 'abc' }}", ChatTemplateFault.Evaluation },
        { "{{ 'a' in 5 }}", ChatTemplateFault.Evaluation },
        { "{{ 1 < 'a' }}", ChatTemplateFault.Evaluation },
        { "{{ none < 1 }}", ChatTemplateFault.Evaluation },
        { "{{ undefinedname < 1 }}", ChatTemplateFault.Evaluation },
        { "{{ [] in {} }}", ChatTemplateFault.Evaluation },
        { "{{ ('x' if false) + 'a' }}", ChatTemplateFault.Evaluation },
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
