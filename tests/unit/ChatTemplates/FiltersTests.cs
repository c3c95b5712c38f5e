// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Filters.</summary>
public sealed class FiltersTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ '  a '|trim }}|{{ 'xax'|trim('x') }}|{{ 5|trim }}|{{ undefinedname|trim }}|{{ none|trim }}", "a|a|5||None" },
        { "{{ s|upper }} {{ s|lower }} {{ s|title }} {{ s|capitalize }} {{ 'foo-bar (baz) <qux>'|title }} {{ 5|upper }} {{ none|lower }} {{ undefinedname|upper }}|", "HELLO WORLD hello world Hello World Hello world Foo-Bar (Baz) <Qux> 5 none |" },
        { "{{ l|length }} {{ s|length }} {{ d|count }} {{ undefinedname|length }} {{ range(4)|length }} {{ d.items()|length }}", "3 11 3 0 4 3" },
        { "{{ l|join }} {{ l|join(', ') }} {{ m|join('-', attribute='role') }} {{ m|join('-', 'role') }} {{ 'abc'|join('.') }} {{ undefinedname|join('x') }}| {{ [1, none, 'a', undefinedname]|join(',') }} {{ l|join(1) }}", "312 3, 1, 2 user-assistant user-assistant a.b.c | 1,None,a, 31112" },
        { "{{ undefinedname|default('x') }} {{ e|default('x') }}| {{ e|default('x', true) }} {{ e|d('y', boolean=true) }} {{ z|default('x') }} {{ undefinedname|default }}| {{ m[0].nothing|default('q') }}", "x | x y None | q" },
        { "{{ l|first }} {{ l|last }} {{ []|first }}| {{ s|first }}{{ s|last }} {{ u|last }} {{ d|first }} {{ d|last }} {{ (l|select)|first }} {{ undefinedname|first }}|", "3 2 | hd é b items 3 |" },
        { "{{ undefinedname|last }}", "" },
        { "{{ l|sort }} {{ words|sort }} {{ words|sort(reverse=true) }} {{ words|sort(case_sensitive=true) }} {{ m|sort(attribute='role')|map(attribute='role')|list }} {{ l|sort(true) }} {{ [[2,1],[1,2],[1,1]]|sort }} {{ [{'a':1,'b':2},{'a':1,'b':1}]|sort(attribute='a,b') }} {{ [1, 0.5, true]|sort }} {{ ['B','a','C','b']|sort }} {{ ['b','B','a','A']|sort }}", "[1, 2, 3] ['apple', 'Banana', 'cherry'] ['cherry', 'Banana', 'apple'] ['Banana', 'apple', 'cherry'] ['assistant', 'user'] [3, 2, 1] [[1, 1], [1, 2], [2, 1]] [{'a': 1, 'b': 1}, {'a': 1, 'b': 2}] [0.5, 1, True] ['a', 'B', 'b', 'C'] ['a', 'A', 'b', 'B']" },
        { "{{ l|map('string')|join('+') }} {{ words|map('upper')|list }} {{ words|map('replace','a','A')|list }} {{ m|map(attribute='role')|join(',') }} {{ m|map(attribute='zz', default='?')|list }} {{ m|map(attribute='tool_calls.0.name', default='-')|list if false else '' }} {{ [[1,2],[3]]|map('first')|list }} {{ ['1','2']|map('int')|sum }}", "3+1+2 ['APPLE', 'BANANA', 'CHERRY'] ['Apple', 'BAnAnA', 'cherry'] user,assistant ['?', '?']  [1, 3] 3" },
        { "{{ l|select('gt', 1)|list }} {{ l|reject('gt', 1)|list }} {{ l|select('odd')|list }} {{ [0,1,'',2]|select|list }} {{ [0,1,'']|reject|list }} {{ m|selectattr('role','equalto','user')|list|length }} {{ m|selectattr('tool_calls')|list|length }} {{ m|rejectattr('role','==','user')|map(attribute='role')|list }} {{ m|selectattr('role','in',['user','x'])|list|length }} {{ m|selectattr('content','none')|list|length }} {{ m|selectattr('tool_calls','defined')|list|length }} {{ d.keys()|reject('in',['a'])|list }}", "[3, 2] [1] [3, 1] [1, 2] [0, ''] 1 1 ['assistant'] 1 1 1 ['b', 'items']" },
        { "{{ '3'|int }} {{ '3.7'|int }} {{ 'x'|int }} {{ 'x'|int(9) }} {{ 3.9|int }} {{ -3.9|int }} {{ '0x1F'|int(base=16) }} {{ '1F'|int(0,16) }} {{ none|int }} {{ ' 42 '|int }} {{ '1_000'|int }} {{ true|int }} {{ '-5'|int }} {{ '１２'|int }} {{ '1e3'|int }} {{ ''|int }} {{ 'inf'|int }} {{ [] |int }} {{ '0b11'|int(base=0) }}", "3 3 0 9 3 -3 31 31 0 42 1000 1 -5 12 1000 0 0 0 3" },
        { "{{ '3.5'|float }} {{ 'x'|float }} {{ 'x'|float(1.5) }} {{ 2|float }} {{ 'inf'|float }} {{ '1e5'|float }} {{ none|float }} {{ ' 2.5 '|float }} {{ '-nan'|float }} {{ '.5'|float }} {{ '5.'|float }}", "3.5 0.0 1.5 2.0 inf 100000.0 0.0 2.5 nan 0.5 5.0" },
        { "{{ -5|abs }} {{ -2.5|abs }} {{ true|abs }}", "5 2.5 1" },
        { "{{ 2.567|round(2) }} {{ 2.5|round }} {{ 3.5|round }} {{ 2.4|round(method='ceil') }} {{ 2.6|round(0,'floor') }} {{ 42|round }} {{ 2.675|round(2) }} {{ 1234.5|round(-2) }} {{ 0.5|round }} {{ -2.5|round }} {{ 42.55|round(1,'floor') }} {{ 1e300|round(2) }}", "2.57 2.0 4.0 3.0 2.0 42 2.67 1200.0 0.0 -2.0 42.5 1e+300" },
        { "{{ l|sum }} {{ [1.5,2]|sum }} {{ [[1],[2]]|sum(start=[]) }} {{ [{'x':1},{'x':2}]|sum(attribute='x') }} {{ []|sum }}", "6 3.5 [1, 2] 3 0" },
        { "{{ l|max }} {{ l|min }} {{ words|max }} {{ words|min }} {{ []|max }}| {{ m|max(attribute='role') is mapping }} {{ ['a','B']|max }} {{ ['a','B']|max(case_sensitive=true) }}", "3 1 cherry apple | True B a" },
        { "{{ l|reverse|list }} {{ s|reverse }} {{ u|reverse }} {{ range(3)|reverse|list }} {{ d|reverse|list }}", "[2, 1, 3] dlroW olleh é👍本日 [2, 1, 0] ['items', 'a', 'b']" },
        { "{{ [1,1,2,'a','A']|unique|list }} {{ ['a','A']|unique(true)|list }} {{ m|unique(attribute='role')|list|length }}", "[1, 2, 'a'] ['a', 'A'] 2" },
        { "{{ d|items|list }} {{ undefinedname|items|list }} {{ d|dictsort }} {{ d|dictsort(by='value') }} {{ {'B':1,'a':2}|dictsort }} {{ {'B':1,'a':2}|dictsort(true) }} {{ d|dictsort(reverse=true) }}", "[('b', 1), ('a', 2), ('items', 7)] [] [('a', 2), ('b', 1), ('items', 7)] [('b', 1), ('a', 2), ('items', 7)] [('a', 2), ('B', 1)] [('B', 1), ('a', 2)] [('items', 7), ('b', 1), ('a', 2)]" },
        { "{{ 'abc'|list }} {{ d|list }} {{ (1,2)|list }} {{ range(3)|list }} {{ undefinedname|list }} {{ u|list }}", "['a', 'b', 'c'] ['b', 'a', 'items'] [1, 2] [0, 1, 2] [] ['日', '本', '👍', 'é']" },
        { "{{ 'a\\nb\\n\\nc'|indent }}|{{ 'a\\nb'|indent(2, true) }}|{{ 'a\\n\\nb'|indent(1, blank=true) }}|{{ 'a\\nb'|indent('> ') }}|{{ ''|indent(2,true) }}|{{ 'a\\n'|indent }}|", "a\n    b\n\n    c|  a\n  b|a\n \n b|a\n> b|  |a\n|" },
        { "{{ 'foo bar baz qux'|truncate(9) }} {{ 'foo bar baz qux'|truncate(9, true) }} {{ 'foo bar baz qux'|truncate(11) }} {{ 'foo bar baz qux'|truncate(11, false, '..', 0) }} {{ 'abc'|truncate(3) }}", "foo... foo ba... foo bar baz qux foo bar.. abc" },
        { "{{ 'a b, c-d e_f'|wordcount }} {{ ''|wordcount }}", "5 0" },
        { "{{ '<a href=\"x\">&\\'</a>'|e }} {{ '<b>'|escape|escape }} {{ '<b>'|e|forceescape }} {{ '<b>'|safe }} {{ ('<b>'|safe) + '<i>' }} {{ '<i>' + ('<b>'|safe) }} {{ ('<b>'|safe) ~ '<i>' }} {{ ('<b>'|safe|trim) is escaped }} {{ 'a' is escaped }} {{ 5|e }}", "&lt;a href=&#34;x&#34;&gt;&amp;&#39;&lt;/a&gt; &lt;b&gt; &amp;lt;b&amp;gt; <b> <b>&lt;i&gt; &lt;i&gt;<b> <b><i> True False 5" },
        { "{{ [1,2,3,4,5]|batch(2)|list }} {{ [1,2,3]|batch(2,'x')|list }} {{ [1,2,3,4,5]|slice(2)|list }} {{ [1,2,3,4,5]|slice(3,'x')|list }} {{ [1,2,3]|slice(3)|list }}", "[[1, 2], [3, 4], [5]] [[1, 2], [3, 'x']] [[1, 2, 3], [4, 5]] [[1, 2], [3, 4], [5, 'x']] [[1], [2], [3]]" },
        { "{{ 'a b&c/d'|urlencode }} {{ {'a b':'c/d','e':1}|urlencode }} {{ 'é'|urlencode }} {{ [('a',1)]|urlencode }}", "a%20b%26c/d a+b=c%2Fd&e=1 %C3%A9 a=1" },
        { "{{ d|attr('items') is callable }} {{ d|attr('b') is undefined }} {{ 'a'|attr('upper') is callable }}", "True True True" },
        { "{{ 'ab'|center(6) }}| {{ 5|string + 'a' }} {{ none|string }} {{ undefinedname|string }}| {{ l|string|length }}", "  ab  | 5a None | 9" },
        { "{{ 'aXbX'|replace('X','-') }} {{ 'aXbX'|replace('X','-',1) }} {{ 5|replace(5, 6) }} {{ 'abc'|replace('','.') }}", "a-b- a-bX 6 .a.b.c." },
        { "{% if false %}{{ 'a'|nosuch }}{% endif %}ok", "ok" },
        { "{{ 'a'|trim|upper|lower|length + 1 }}", "2" },
        { "{{ -1|abs }} {{ 1 + -2|abs }} {{ 'a' ~ 'B'|lower }}", "1 3 ab" },
        { "{{ l|first|string|int + 1 }}", "4" },
        { "{{ l | length > 2 }}", "True" },
        { "{% set g = l|select %}{{ g|list }}{{ g|list }}", "[3, 1, 2][]" },
        { "{% set g = l|map('string') %}{{ g|first }}{{ g|first }}{{ g|join }}", "312" },
        { "{{ d.items()|list == d|items|list }}", "True" },
        { "{{ none|selectattr('role')|list }}{{ none|map('upper')|list }}{{ 0|select|list }}{{ false|reject|list }}", "[][][][]" },
        { "{{ undefinedname|truncate(5) }}|", "|" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{{ 5|length }}", ChatTemplateFault.Evaluation },
        { "{{ none|length }}", ChatTemplateFault.Evaluation },
        { "{{ l|select|length }}", ChatTemplateFault.Evaluation },
        { "{{ 5|join }}", ChatTemplateFault.Evaluation },
        { "{{ (l|select)|last }}", ChatTemplateFault.Evaluation },
        { "{{ 5|first }}", ChatTemplateFault.Evaluation },
        { "{{ [] | first + 'a' }}", ChatTemplateFault.Evaluation },
        { "{{ [1,'a']|sort }}", ChatTemplateFault.Evaluation },
        { "{{ [none,1]|sort }}", ChatTemplateFault.Evaluation },
        { "{{ l|map('nosuch')|list }}", ChatTemplateFault.Evaluation },
        { "{{ l|select('nosuch')|list }}", ChatTemplateFault.Evaluation },
        { "{{ undefinedname|int }}", ChatTemplateFault.Evaluation },
        { "{{ undefinedname|float }}", ChatTemplateFault.Evaluation },
        { "{{ 'a'|abs }}", ChatTemplateFault.Evaluation },
        { "{{ ['a']|sum }}", ChatTemplateFault.Evaluation },
        { "{{ 'a'|items|list }}", ChatTemplateFault.Evaluation },
        { "{{ 5|list }}", ChatTemplateFault.Evaluation },
        { "{{ 5|indent }}", ChatTemplateFault.Evaluation },
        { "{{ 'a'|nosuch }}", ChatTemplateFault.Syntax },
        { "{% if true %}{{ 'a'|nosuch }}{% endif %}", ChatTemplateFault.Evaluation },
        { "{{ 5|select|list }}", ChatTemplateFault.Evaluation },
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
