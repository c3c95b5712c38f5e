// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>printf-like and brace formatting.</summary>
public sealed class FormattingTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ '%s and %r' % ('a', 'b') }} {{ '%d%%' % 5 }} {{ '%05.2f|%-6s|%6s|%+d' % (3.14159, 'ab', 'cd', 7) }} {{ '%x %X %o %#x' % (255, 255, 8, 255) }} {{ '%e %g %G' % (12345.678, 0.0001, 1e20) }} {{ '%c' % 65 }} {{ '%c' % 'x' }}", "a and 'b' 5% 03.14|ab    |    cd|+7 ff FF 10 0xff 1.234568e+04 0.0001 1E+20 A x" },
        { "{{ '%(a)s-%(b)d' % {'a': 1, 'b': 2} }}", "1-2" },
        { "{{ '%s' % none }} {{ '%s' % [1] }} {{ '%s' % l }} {{ '%.2f' % 0.125 }} {{ '%.0f' % 0.5 }} {{ '%.0f' % 1.5 }} {{ '%.3s' % 'abcdef' }} {{ '%d' % 3.9 }} {{ '%i' % true }} {{ '%5d|%-5d|%05d' % (42, 42, -42) }} {{ '%.3d' % 7 }} {{ '% d' % 5 }}", "None [1] [3, 1, 2] 0.12 0 2 abc 3 1    42|42   |-0042 007  5" },
        { "{{ 'abc' % {} }}", "abc" },
        { "{{ '%*d' % (5, 42) }}", "   42" },
        { "{{ '{} {}'.format('a', 1) }} {{ '{1} {0}'.format('a', 'b') }} {{ '{x}'.format(x=3) }} {{ '{0[a]} {0.real}'.format(d) }}|{{ '{{}}'.format() }}", "a 1 b a 3 2 |{}" },
        { "{{ '{:>5}|{:<5}|{:^5}|{:*^7}|{:05d}|{:+.2f}|{:,}|{:.1%}|{:x}|{:#b}|{:e}'.format('a','b','c','d',42,3.14159,1234567,0.256,255,5,12345.678) }}", "    a|b    |  c  |***d***|00042|+3.14|1,234,567|25.6%|ff|0b101|1.234568e+04" },
        { "{{ '{!r} {!s}'.format('a', 'b') }} {{ '{:{w}}'.format('a', w=4) }}|{{ '{}'.format(none) }} {{ '{:g} {:.3g} {:.3}'.format(1e10, 1234.5, 1234.5) }} {{ '{:5}|{:5}'.format(1, 'a') }} {{ '{:_}'.format(1234567) }} {{ '{:.2}'.format('abc') }} {{ '{:10.3f}|'.format(2.0) }}", "'a' b a   |None 1e+10 1.23e+03 1.23e+03     1|a     1_234_567 ab      2.000|" },
        { "{{ '%s|%s'|format('a', 2) }} {{ '%(x)s'|format(x=1) }}", "a|2 1" },
        { "{{ '{:.15g}|{:.17g}|{}'.format(0.1, 0.1, 1e100) }} {{ '%.10f' % 0.1 }} {{ '%.20f' % 0.1 }} {{ '%.1e' % 9.96e22 }} {{ '%g' % 100000 }} {{ '%g' % 1000000 }} {{ '%g' % 0.00001234 }} {{ '%#g' % 1.0 }} {{ '{:g}'.format(1e23) }} {{ '{:.0e}'.format(1e23) }}", "0.1|0.10000000000000001|1e+100 0.1000000000 0.10000000000000000555 1.0e+23 100000 1e+06 1.234e-05 1.00000 1e+23 1e+23" },
        { "{{ 'abc' % undefinedname }} {{ 'abc' % [1] }}", "abc abc" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{{ '%s %s' % 'a' }}", ChatTemplateFault.Evaluation },
        { "{{ '%s' % ('a','b') }}", ChatTemplateFault.Evaluation },
        { "{{ '%d' % 'a' }}", ChatTemplateFault.Evaluation },
        { "{{ '%q' % 1 }}", ChatTemplateFault.Evaluation },
        { "{{ '%' % 1 }}", ChatTemplateFault.Evaluation },
        { "{{ 'abc' % 1 }}", ChatTemplateFault.Evaluation },
        { "{{ '{'.format() }}", ChatTemplateFault.Evaluation },
        { "{{ '{}'.format() }}", ChatTemplateFault.Evaluation },
        { "{{ '{:d}'.format('a') }}", ChatTemplateFault.Evaluation },
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
