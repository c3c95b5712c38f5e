// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Operators on numbers, texts and lists.</summary>
public sealed class ArithmeticTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ 1 + 2 * 3 - 4 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }}", "3 3.5 3.0 3 -4 2 -2 1024 0.5 64 4" },
        { "{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 7.5 % 2 }} {{ -7.5 % 2 }} {{ 7.5 % -2 }} {{ 1.5 ** 2 }} {{ 0.1 + 0.2 }} {{ 1 + true }} {{ true + true }} {{ 3 * 1.5 }}", "3.0 -4.0 1.5 0.5 -0.5 2.25 0.30000000000000004 2 2 4.5" },
        { "{{ 9223372036854775807 + 1 }} {{ -9223372036854775808 - 1 }} {{ 9223372036854775807 * 3 }} {{ 2 ** 100 }} {{ (2 ** 100) // 3 }} {{ -(2**100) % 7 }} {{ (2**64) / 2 }}", "9223372036854775808 -9223372036854775809 27670116110564327421 1267650600228229401496703205376 422550200076076467165567735125 5 9.223372036854776e+18" },
        { "{{ 'ab' * 3 }}|{{ 3 * 'ab' }}|{{ 'ab' * 0 }}|{{ 'ab' * -1 }}|{{ [1] * 3 }}|{{ 'a' + 'b' }}|{{ [1] + [2] }}|{{ (1,) + (2,) }}", "ababab|ababab|||[1, 1, 1]|ab|[1, 2]|(1, 2)" },
        { "{{ 1 ~ 'a' ~ none ~ 2.0 ~ true ~ undefinedname }}", "1aNone2.0True" },
        { "{{ +3 }} {{ - 3 }} {{ --3 }} {{ +true }}", "3 -3 3 1" },
        { "{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_000 }} {{ 1.5e3 }} {{ 1e-3 }} {{ 00 }}", "31 5 15 1000 1500.0 0.001 0" },
        { "{{ 10 - 3 - 2 }} {{ 2 * 3 % 4 }} {{ 100 // 7 // 2 }}", "5 2 7" },
        { "{{ 1.0 // 0.3 }} {{ 5 // 0.5 }} {{ -0.0 // 1 }} {{ 1e308 * 10 }} {{ 5.0 % 0.3 }}", "3.0 10.0 -0.0 inf 0.20000000000000018" },
        { "{{ 1.5 - big }} {{ big / 3 }} {{ big * 1.0 }}", "-1.8446744073709552e+19 6.148914691236517e+18 1.8446744073709552e+19" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{{ 1 / 0 }}", ChatTemplateFault.Evaluation },
        { "{{ 1 // 0 }}", ChatTemplateFault.Evaluation },
        { "{{ 1 % 0 }}", ChatTemplateFault.Evaluation },
        { "{{ 'a' + 1 }}", ChatTemplateFault.Evaluation },
        { "{{ 1 + 'a' }}", ChatTemplateFault.Evaluation },
        { "{{ [1] + (2,) }}", ChatTemplateFault.Evaluation },
        { "{{ none + 1 }}", ChatTemplateFault.Evaluation },
        { "{{ 'a' - 'b' }}", ChatTemplateFault.Evaluation },
        { "{{ -'a' }}", ChatTemplateFault.Evaluation },
        { "{{ undefinedname + 1 }}", ChatTemplateFault.Evaluation },
        { "{{ 1 + undefinedname }}", ChatTemplateFault.Evaluation },
        { "{{ 'a' * 1.5 }}", ChatTemplateFault.Evaluation },
        { "{{ 'a' ~ 1 + 2 }}", ChatTemplateFault.Evaluation },
        { "{{ 1 + 2 ~ 'a' }}", ChatTemplateFault.Evaluation },
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
