// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Global functions.</summary>
public sealed class GlobalsTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ dict(a=1, b='x') }} {{ dict({'a': 1}, c=2) }} {{ dict([('x', 1)]) }} {{ dict() }}", "{'a': 1, 'b': 'x'} {'a': 1, 'c': 2} {'x': 1} {}" },
        { "{% set j = joiner(', ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}", "3, 1, 2" },
        { "{% set c = cycler('a','b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}", "ababNonea" },
        { "{{ 'x'.__class__ }}|", "|" },
        { "{{ range(3)|list|length }}", "3" },
        { "{% set range = 5 %}{{ range }}", "5" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{{ raise_exception('boom ' ~ n) }}", ChatTemplateFault.Raised },
        { "{{ raise_exception() }}", ChatTemplateFault.Evaluation },
        { "{{ range() }}", ChatTemplateFault.Evaluation },
        { "{{ range('a') }}", ChatTemplateFault.Evaluation },
        { "{{ range(1, 2, 0) }}", ChatTemplateFault.Evaluation },
        { "{{ range(10**12) }}", ChatTemplateFault.Limit },
        { "{{ lipsum is undefined if false else 1 }}", ChatTemplateFault.Syntax },
        { "{{ namespace(1) }}", ChatTemplateFault.Evaluation },
        { "{{ ''.__class__.__mro__ }}", ChatTemplateFault.Evaluation },
        { "{{ strftime_now(5) }}", ChatTemplateFault.Evaluation },
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
