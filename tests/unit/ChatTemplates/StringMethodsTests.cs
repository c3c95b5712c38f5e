// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>The methods of text.</summary>
public sealed class StringMethodsTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ ' a b '.strip() }}|{{ ' a '.lstrip() }}|{{ ' a '.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcba'.strip('ab') }}|{{ '\\n\\t a\\u3000'.strip() }}|{{ 'aXb'.rstrip('bX') }}|{{ 'a'.strip(none) }}", "a b|a | a|a|c|a|a|a" },
        { "{{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b  c '.rsplit(none, 1) }} {{ 'aaa'.rsplit('aa') }} {{ 'aaa'.split('aa') }} {{ 'a-b-c'.rsplit('-') }} {{ 'x'.rsplit(maxsplit=1) }}", "['a,b', 'c'] [' a b', 'c'] ['a', ''] ['', 'a'] ['a', 'b', 'c'] ['x']" },
        { "{{ 'abc'.startswith('a') }} {{ 'abc'.endswith('bc') }} {{ 'abc'.startswith(('x','a')) }} {{ 'abc'.startswith('b', 1) }} {{ 'abc'.endswith('b', 0, 2) }} {{ 'abc'.startswith('') }}", "True True True True True True" },
        { "{{ 'hello'.find('l') }} {{ 'hello'.rfind('l') }} {{ 'hello'.find('z') }} {{ 'hello'.find('l', 3) }} {{ 'hello'.find('l', 4) }} {{ u.find('é') }} {{ 'hello'.index('e') }} {{ 'hello'.find('') }} {{ 'hello'.count('l') }} {{ 'aaa'.count('aa') }} {{ 'abc'.count('') }} {{ 'hello'.find('l', -2) }}", "2 3 -1 3 -1 3 1 0 2 1 4 3" },
        { "{{ 'hello'.replace('l', 'L') }} {{ 'hello'.replace('l', 'L', 1) }} {{ 'ab'.replace('', '-') }} {{ 'ab'.replace('', '-', 2) }} {{ 'hello'.replace('z','') }} {{ u.replace('👍', '!') }} {{ '👍a'.replace('','-') }}", "heLLo heLlo -a-b- -a-b hello 日本!é -👍-a-" },
        { "{{ 'Hello World'.lower() }} {{ 'hi'.upper() }} {{ 'hello world'.title() }} {{ \"they're bill's\".title() }} {{ 'hELLO wORLD'.capitalize() }} {{ 'aB'.swapcase() }} {{ 'straße'.upper() }} {{ 'ﬁx'.upper() }} {{ 'ΑΣ ΣΑ'.lower() }} {{ 'İ'.lower()|length }} {{ 'éa'.capitalize() }} {{ 'ßa'.capitalize() }}", "hello world HI Hello World They'Re Bill'S Hello world Ab STRASSE FIX ας σα 2 Éa Ssa" },
        { "{{ 'ab1'.isalnum() }} {{ 'ab'.isalpha() }} {{ '12'.isdigit() }} {{ '²'.isdigit() }} {{ '²'.isdecimal() }} {{ '½'.isnumeric() }} {{ ''.isdigit() }} {{ ' \\t'.isspace() }} {{ 'ab'.islower() }} {{ 'aB'.islower() }} {{ 'AB1'.isupper() }} {{ '1'.isupper() }} {{ 'Ab Cd'.istitle() }} {{ 'abc'.isascii() }} {{ 'é'.isascii() }} {{ '日本'.isalpha() }} {{ 'a b'.isalpha() }}", "True True True True False True False True True False True False True True False True False" },
        { "{{ ','.join(['a','b']) }} {{ '-'.join('abc') }} {{ ''.join([]) }}|{{ ', '.join({'x':1,'y':2}) }}", "a,b a-b-c |x, y" },
        { "{{ 'ab'.center(7) }}|{{ 'abc'.center(6,'*') }}|{{ 'ab'.ljust(5) }}|{{ 'ab'.rjust(5,'.') }}|{{ '42'.zfill(5) }}|{{ '-42'.zfill(5) }}|{{ 'abc'.center(2) }}|{{ 'ab'.center(5, '*') }}", "   ab  |*abc**|ab   |...ab|00042|-0042|abc|**ab*" },
        { "{{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('-') }} {{ 'abc'.rpartition('-') }} {{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.txt'.removesuffix('.txt') }} {{ 'a\\nb\\r\\nc\\n'.splitlines() }} {{ 'a\\nb'.splitlines(true) }} {{ ''.splitlines() }}", "('a', '-', 'b-c') ('a-b', '-', 'c') ('abc', '', '') ('', '', 'abc') x x ['a', 'b', 'c'] ['a\\n', 'b'] []" },
        { "{{ 'a b'.split(sep=' ') }} {{ 'a b c'.split(' ', maxsplit=1) }}", "['a', 'b'] ['a', 'b c']" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{{ 'a,b,,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'a b  c '.split(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b  c '.rsplit(none, 1) }} {{ 'abc'.split('') }}", ChatTemplateFault.Evaluation },
        { "{{ 'abc'.startswith(1) }}", ChatTemplateFault.Evaluation },
        { "{{ 'a'.index('b') }}", ChatTemplateFault.Evaluation },
        { "{{ ','.join([1]) }}", ChatTemplateFault.Evaluation },
        { "{{ 'abc'.split(1) }}", ChatTemplateFault.Evaluation },
        { "{{ 'abc'.upper(1) }}", ChatTemplateFault.Evaluation },
        { "{{ 'abc'.replace('a') }}", ChatTemplateFault.Evaluation },
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
