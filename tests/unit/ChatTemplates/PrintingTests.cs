// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
namespace Parallax.UnitTests.ChatTemplates;

/// <summary>How values print: str() and repr().</summary>
public sealed class PrintingTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ z }}|{{ t }}|{{ n }}|{{ f }}|{{ undefinedname }}|{{ l }}|{{ d }}|{{ (1,) }}|{{ (1,2) }}|{{ () }}", "None|True|5|2.5||[3, 1, 2]|{'b': 1, 'a': 2, 'items': 7}|(1,)|(1, 2)|()" },
        { "{{ [none, true, 1.0, 'a', u, q] }}", "[None, True, 1.0, 'a', '日本👍é', 'it\\'s \"x\"\\n\\t\\\\']" },
        { "{{ 1e16 }} {{ 1e15 }} {{ 123456789012345680.0 }} {{ 0.0001 }} {{ 0.00001 }} {{ tiny }} {{ huge }} {{ 1.5e300 }} {{ -0.0 }} {{ 100.0 }}", "1e+16 1000000000000000.0 1.2345678901234568e+17 0.0001 1e-05 1e-07 1e+22 1.5e+300 -0.0 100.0" },
        { "{{ big }} {{ big + 1 }} {{ big * big }} {{ -big }}", "18446744073709551615 18446744073709551616 340282366920938463426481119284349108225 -18446744073709551615" },
        { "{{ range(3) }} {{ range(1, 10, 3) }} {{ d.keys() }} {{ d.values() }} {{ {'a':1}.items() }}", "range(0, 3) range(1, 10, 3) dict_keys(['b', 'a', 'items']) dict_values([1, 2, 7]) dict_items([('a', 1)])" },
        { "{{ namespace(a=1, b='x') }}", "<Namespace {'a': 1, 'b': 'x'}>" },
        { "{{ ['\\x00\\x7f\\u200b\\xa0', 'tab\\t'] }}", "['\\x00\\x7f\\u200b\\xa0', 'tab\\t']" },
        { "{{ [\"it's\"] }} {{ ['say \"hi\"'] }} {{ ['both \\' and \"'] }}", "[\"it's\"] ['say \"hi\"'] ['both \\' and \"']" },
        { "{{ {1: 2, 'a': none, (1,2): 3, true: 4} }}", "{1: 4, 'a': None, (1, 2): 3}" },
        { "{{ 1, 2 }}", "(1, 2)" },
        { "{% print 1, 'a' %}", "1a" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Render_Expression_GivesTheTextOfJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateHarness.Render(template));
}
