// The expected texts are what Jinja 3.1.6 renders on Python 3.11; they were read from it, not written by hand.
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>The filter tojson.</summary>
public sealed class ToJsonTests
{
    public static TheoryData<string, string> Texts { get; } = new()
    {
        { "{{ m|tojson }}", "[{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"name\": \"f\", \"arguments\": {\"a\": 1, \"b\": [1, 2.5, null, true]}}]}]" },
        { "{{ d|tojson(indent=2) }}", "{\n  \"b\": 1,\n  \"a\": 2,\n  \"items\": 7\n}" },
        { "{{ m|tojson(indent=4) }}", "[\n    {\n        \"role\": \"user\",\n        \"content\": \"Hi\"\n    },\n    {\n        \"role\": \"assistant\",\n        \"content\": null,\n        \"tool_calls\": [\n            {\n                \"name\": \"f\",\n                \"arguments\": {\n                    \"a\": 1,\n                    \"b\": [\n                        1,\n                        2.5,\n                        null,\n                        true\n                    ]\n                }\n            }\n        ]\n    }\n]" },
        { "{{ q|tojson }} {{ u|tojson }} {{ u|tojson(ensure_ascii=true) }} {{ '\\x01\\x7f</script>&'|tojson }} {{ z|tojson }} {{ t|tojson }} {{ f|tojson }} {{ 1e16|tojson }} {{ 1e-7|tojson }} {{ big|tojson }} {{ (1,2)|tojson }} {{ []|tojson }} {{ {}|tojson }} {{ [[],{}]|tojson(indent=2) }}", "\"it's \\\"x\\\"\\n\\t\\\\\" \"日本👍é\" \"\\u65e5\\u672c\\ud83d\\udc4d\\u00e9\" \"\\u0001\u007F</script>&\" null true 2.5 1e+16 1e-07 18446744073709551615 [1, 2] [] {} [\n  [],\n  {}\n]" },
        { "{{ {1:2, none:3, true:4, 1.5:5}|tojson }}", "{\"1\": 4, \"null\": 3, \"1.5\": 5}" },
        { "{{ d|tojson(sort_keys=true) }} {{ d|tojson(separators=(',',':')) }} {{ l|tojson(indent='\\t') }} {{ [1,[2]]|tojson(indent=0) }}", "{\"a\": 2, \"b\": 1, \"items\": 7} {\"b\":1,\"a\":2,\"items\":7} [\n\t3,\n\t1,\n\t2\n] [\n1,\n[\n2\n]\n]" },
        { "{{ 'inf'|float|tojson }} {{ 'nan'|float|tojson }}", "Infinity NaN" },
        { "{{ {'b':1,'a':{'d':1,'c':[3,{}]}}|tojson(indent=1, sort_keys=true) }}", "{\n \"a\": {\n  \"c\": [\n   3,\n   {}\n  ],\n  \"d\": 1\n },\n \"b\": 1\n}" },
    };

    public static TheoryData<string, ChatTemplateFault> Errors { get; } = new()
    {
        { "{{ undefinedname|tojson }}", ChatTemplateFault.Evaluation },
        { "{{ range(2)|tojson }}", ChatTemplateFault.Evaluation },
        { "{{ d.items()|tojson }}", ChatTemplateFault.Evaluation },
        { "{{ {(1,2):3}|tojson }}", ChatTemplateFault.Evaluation },
        { "{{ namespace()|tojson }}", ChatTemplateFault.Evaluation },
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
