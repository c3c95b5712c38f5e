// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Attributes, subscripts and slices.</summary>
public sealed class LookupAndSlicesTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ m[0].role }} {{ m[0]['role'] }} {{ m[-1].role }} {{ m[5] is defined }} {{ m[0].nothing is defined }} {{ m[0].nothing }}| {{ m.0.role }}", "user user assistant False False | user" },
        { "{{ m[1].content.x }}|{{ z.y is defined }}|{{ n.real2 }}|{{ 'abc'.nothing }}", "|False||" },
        { "{{ s[0] }}{{ s[-1] }} {{ s[1:3] }} {{ s[::-1] }} {{ s[::2] }} {{ s[-5:] }} {{ s[:-6] }} {{ s[100:] }}| {{ s[5:2] }}| {{ s[8:1:-2] }} {{ s[100] }}|", "hd el dlroW olleh hloWrd World hello | | rWol |" },
        { "{{ l[::-1] }} {{ l[1:] }} {{ l[:1] }} {{ l[-2:] }} {{ l[::2] }} {{ (1,2,3)[1:] }} {{ range(10)[2] }} {{ l[none:2] }} {{ l[2:0:-1] }} {{ l[-1:-3:-1] }} {{ l[10:0:-1] }} {{ l[:0:-1] }}", "[2, 1, 3] [1, 2] [3] [1, 2] [3, 2] (2, 3) 2 [3, 1] [2, 1] [2, 1] [2, 1] [2, 1]" },
        { "{{ u|length }} {{ u[2] }} {{ u[::-1] }} {{ u[1:3] }} {{ u[-2] }} {{ u[-3:-1] }} {{ u[::2] }}", "4 👍 é👍本日 本👍 👍 本👍 日👍" },
        { "{{ d.items is callable }} {{ d['items'] }} {{ d['keys'] is callable }} {{ d.b }} {{ d['zz'] is defined }} {{ d.get('b') }} {{ d.get('zz') }} {{ d.get('zz', 9) }}", "True 7 True 1 False 1 None 9" },
        { "{{ d[[]] is undefined }} {{ {1: 'x'}[1.0] }} {{ {1: 'x'}[true] }} {{ {(1,2): 'y'}[1,2] }}", "True x x y" },
        { "{{ l.1 }} {{ [[1,2],[3]].0.1 }}", "1 2" },
        { "{{ {'a': {'b': 1}}['a']['b'] }}", "1" },
        { "{{ l[true] }} {{ s[false] }}", "1 h" },
        { "{{ 'abc'.upper is callable }} {{ 'abc'['upper']() }}", "True ABC" },
        { "{{ range(5)[::2] }}", "range(0, 5, 2)" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{{ m[0].nothing.more }}", ChatTemplateFault.Evaluation },
        { "{{ undefinedname.x }}", ChatTemplateFault.Evaluation },
        { "{{ undefinedname['x'] }}", ChatTemplateFault.Evaluation },
        { "{{ undefinedname[0] }}", ChatTemplateFault.Evaluation },
        { "{{ l[::0] }}", ChatTemplateFault.Evaluation },
        { "{{ l['a':] is undefined }} {{ d[1:] is undefined }} {{ n[1:] is undefined }}", ChatTemplateFault.Evaluation },
        { "{{ undefinedname[1:] }}", ChatTemplateFault.Evaluation },
        { "{{ l.append(1) }}", ChatTemplateFault.Evaluation },
        { "{{ d.update({}) }}", ChatTemplateFault.Evaluation },
        { "{{ d.pop('b') }}", ChatTemplateFault.Evaluation },
        { "{{ n() }}", ChatTemplateFault.Evaluation },
        { "{{ undefinedname() }}", ChatTemplateFault.Evaluation },
        { "{{ none() }}", ChatTemplateFault.Evaluation },
        { "{{ 'a'.nothing() }}", ChatTemplateFault.Evaluation },
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
