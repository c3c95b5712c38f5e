// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Whitespace control, comments and raw blocks.</summary>
public sealed class WhitespaceTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "  {% if true %}\n  a\n  {% endif %}\nb\n", "  a\nb" },
        { "a\n  {%- if true -%}\n  b  \n  {%- endif -%}\n  c", "abc" },
        { "x {{- ' y ' -}} z", "x y z" },
        { "  {%+ if true %}a{% endif %}", "  a" },
        { "{% if true +%}\na{% endif %}", "\na" },
        { "a\n{# comment #}\nb", "a\nb" },
        { "a\n  {#- c -#}  \nb", "ab" },
        { "  {# c #}  x", "  x" },
        { "{{ 1 }}\n{{ 2 }}\n", "1\n2" },
        { "line\n\n", "line\n" },
        { "{% raw %}{{ a }} {% if %}{% endraw %}", "{{ a }} {% if %}" },
        { "a {%- raw -%}  x  {%- endraw -%} b", "axb" },
        { "{% raw %}\n x{% endraw %}\ny", "\n xy" },
        { "a {% if true %} b {% endif %} c", "a  b  c" },
        { "\t{% set x = 1 %}\n{{ x }}", "1" },
        { "{% for i in [1,2] %}\n  {{ i }}\n{% endfor %}\n", "  1\n  2\n" },
        { "{% for i in [1,2] -%}\n  {{ i }}\n{%- endfor %}\nx", "12x" },
        { "  a {% if true %}b{% endif %}", "  a b" },
        { "{{ 'a' }}  {% if true %}\nb{% endif %}", "a  b" },
        { "{# a {{ b }} {% c %} #}x", "x" },
        { "a\r\nb\rc\n{{ 'x\r\ny' }}", "a\nb\nc\nx\ny" },
        { "{% if true %}\n\n\na{% endif %}", "\n\na" },
        { "{{+ 1 }}", "1" },
        { "   {%- if true %} a{% endif %}", " a" },
        { "{#- x #}\n y", " y" },
        { "text{# c +#}\nq", "text\nq" },
        { "{%-if true-%} a {%-endif-%}", "a" },
        { "{{ {'a': {'b': 1}}.a.b }}", "1" },
        { "{{ {} }}", "{}" },
        { "{{'}}'}}", "}}" },
        { "{{ \"{% x %}\" }}", "{% x %}" },
        { "{% if true %}{#c#}\n{% endif %}x", "x" },
        { "a\n    {{- 1 }}", "a1" },
        { "  {{ 1 }}", "  1" },
        { "{% raw %}a{% endraw %}{% raw %}b{% endraw %}\n\n", "ab" },
        { "{\n} { { % }", "{\n} { { % }" },
        { "{", "{" },
        { "a{", "a{" },
        { "{%+ set x = 1 +%}\n{{ x }}", "\n1" },
        { "  {%+ raw %}x{% endraw +%}\ny", "  x\ny" },
        { "\n\n{% if true %}\n{% endif %}\n\n", "\n\n" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Render_Expression_GivesTheTextOfJinja(string template, string expected) =>
        Assert.Equal(expected, TemplateHarness.Render(template));
}
