using System.Text.Json;
using Parallax.Runtime;
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>The template's surface: errors, dialects, values, clock, use from several threads.</summary>
public sealed class ChatTemplateTests
{
    [Fact]
    public void Render_RaiseException_CarriesTheTemplatesMessage()
    {
        var error = TemplateHarness.Fail("a\n{{ raise_exception('roles must alternate') }}");
        Assert.IsAssignableFrom<ParallaxException>(error);
        Assert.Equal(ChatTemplateFault.Raised, error.Fault);
        Assert.Equal("roles must alternate", error.Problem);
        Assert.Equal(2, error.Line);
    }

    [Theory]
    [InlineData("a\n\n{{ 1 / 0 }}", 3, "operator '/'")]
    [InlineData("{% if true %}\n{{ x.y }}\n{% endif %}", 2, "attribute 'y'")]
    [InlineData("{{ 'a'\n| join\n| abs }}", 3, "filter 'abs'")]
    [InlineData("{% for a in 1 %}{% endfor %}", 1, "tag 'for'")]
    [InlineData("{% include 'x' %}", 1, "tag 'include'")]
    [InlineData("\n{% import 'x' as y %}", 2, "tag 'import'")]
    [InlineData("{% from 'x' import y %}", 1, "tag 'from'")]
    [InlineData("{% extends 'x' %}", 1, "tag 'extends'")]
    [InlineData("{% block b %}{% endblock %}", 1, "tag 'block'")]
    [InlineData("{% do x %}", 1, "tag 'do'")]
    [InlineData("x\ny\n{% if a %}", 3, "tag 'if'")]
    [InlineData("{# a\n #}\n{{ x|random }}", 3, "filter 'random'")]
    [InlineData("{% raw %}\n{% endraw %}\n{{ 5 is blue }}", 3, "test 'blue'")]
    [InlineData("{{ nothing() }}", 1, "call of 'nothing'")]
    [InlineData("{{ 'x'.nothing() }}", 1, "call of '.nothing'")]
    [InlineData("{{ 'abc\n }}", 1, "text")]
    public void ParseOrRender_Error_NamesTemplateLineAndConstruct(string template, int line, string construct)
    {
        var error = TemplateHarness.Fail(template);
        Assert.Equal(line, error.Line);
        Assert.Equal(construct, error.Construct);
        Assert.Equal("test", error.Template);
        Assert.Contains($"'test', line {line}", error.Message, StringComparison.Ordinal);
        Assert.Contains(construct, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_GenerationBlock_DependsOnTheDialect()
    {
        const string source = "a{% generation %}b{% set x = 1 %}{{ x }}{% endgeneration %}{{ x is defined }}";
        Assert.Equal("ab1False", TemplateHarness.Render(source));
        var error = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source, "test", TemplateDialect.PlainJinja));
        Assert.Equal(ChatTemplateFault.Syntax, error.Fault);
        Assert.Equal("tag 'generation'", error.Construct);
    }

    [Fact]
    public void Render_GivenValue_ShadowsAGlobalFunction() =>
        Assert.Equal("5", TemplateHarness.Render("{{ range }}", new() { ["range"] = TemplateValue.From(5) }));

    [Fact]
    public void Render_DefaultValue_IsUndefined() =>
        Assert.Equal("False|True", TemplateHarness.Render("{{ x is defined }}|{{ x is undefined }}", new() { ["x"] = default }));

    [Fact]
    public void Render_ValuesFromCode_PrintAsPythons()
    {
        var values = new Dictionary<string, TemplateValue>
        {
            ["v"] = TemplateValue.FromList(
            [
                TemplateValue.None, TemplateValue.From(true), TemplateValue.From(long.MinValue), TemplateValue.From(0.5), TemplateValue.From("x"),
                TemplateValue.FromMap([new("b", TemplateValue.From(1)), new("a", TemplateValue.From(2)), new("b", TemplateValue.From(3))]),
                default,
            ]),
        };
        Assert.Equal("[None, True, -9223372036854775808, 0.5, 'x', {'b': 3, 'a': 2}, Undefined]", TemplateHarness.Render("{{ v }}", values));
    }

    [Fact]
    public void FromJson_Numbers_KeepTheirKind()
    {
        var values = TemplateHarness.FromJson("""{"v": [1, -0, 1.0, 1e2, -0.0, 9223372036854775808, 1e999, 0.1]}""");
        Assert.Equal("[1, 0, 1.0, 100.0, -0.0, 9223372036854775808, inf, 0.1]", TemplateHarness.Render("{{ v }}", values));
    }

    [Fact]
    public void FromJson_RepeatedMember_KeepsThePlaceAndTheLastValue() =>
        Assert.Equal("""{"a": 3, "b": 2}""", TemplateHarness.Render("{{ v|tojson }}", TemplateHarness.FromJson("""{"v": {"a": 1, "b": 2, "a": 3}}""")));

    [Fact]
    public void FromJson_ManyMembers_AreFoundInOrder()
    {
        var json = JsonSerializer.Serialize(Enumerable.Range(0, 50).ToDictionary(i => $"k{i}", i => i));
        var values = TemplateHarness.FromJson($$"""{"v": {{json}}}""");
        Assert.Equal("49 50 k0 k49", TemplateHarness.Render("{{ v.k49 }} {{ v|length }} {{ v|list|first }} {{ v|list|last }}", values));
    }

    [Theory]
    [InlineData("""["\ud800"]""")]
    [InlineData("""{"\udc00": 1}""")]
    public void FromJson_HalfASurrogatePair_IsAnInputError(string json)
    {
        using var document = JsonDocument.Parse(json);
        Assert.Equal(
            ChatTemplateFault.Input,
            Assert.Throws<ChatTemplateException>(() => TemplateValue.FromJson(document.RootElement)).Fault);
    }

    [Fact]
    public void FromJson_NestedTooDeeplyOrNumberTooLong_IsAnInputError()
    {
        foreach (var json in new[] { new string('[', 400) + new string(']', 400), new string('9', 5_000) })
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 1_000 });
            Assert.Equal(
                ChatTemplateFault.Input,
                Assert.Throws<ChatTemplateException>(() => TemplateValue.FromJson(document.RootElement)).Fault);
        }
    }

    [Theory]
    [InlineData("%Y-%m-%d", "2024-02-05")]
    [InlineData("%d %b %Y", "05 Feb 2024")]
    [InlineData("%B %d, %Y", "February 05, 2024")]
    [InlineData("%A %a %-d %-m %e|%y", "Monday Mon 5 2  5|24")]
    [InlineData("%H:%M:%S %I %p %-H %f", "04:03:02 04 AM 4 001000")]
    [InlineData("%j %U %W %u %w %V %G", "036 05 06 1 1 06 2024")]
    [InlineData("%D %F %T %R %r", "02/05/24 2024-02-05 04:03:02 04:03 04:03:02 AM")]
    [InlineData("%c|%x|%X|%%|%n|%t|%C|%h|%k|%l|%Z%z", "Mon Feb  5 04:03:02 2024|02/05/24|04:03:02|%|\n|\t|20|Feb| 4| 4|")]
    public void Render_StrftimeNow_FormatsLikeC(string format, string expected)
    {
        var clock = new FixedClock(new DateTimeOffset(2024, 2, 5, 4, 3, 2, 1, TimeSpan.Zero), TimeZoneInfo.Utc);
        var values = new Dictionary<string, TemplateValue> { ["f"] = TemplateValue.From(format) };
        Assert.Equal(expected, TemplateHarness.Render("{{ strftime_now(f) }}", values, clock: clock));
    }

    [Fact]
    public void Render_StrftimeNow_UsesTheLocalZone()
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(2), "test", "test");
        var clock = new FixedClock(new DateTimeOffset(2024, 12, 31, 23, 30, 0, TimeSpan.Zero), zone);
        Assert.Equal("2025-01-01 01:30", TemplateHarness.Render("{{ strftime_now('%Y-%m-%d %H:%M') }}", clock: clock));
    }

    [Theory]
    [InlineData("%")]
    [InlineData("%Q")]
    [InlineData("%-")]
    public void Render_StrftimeNowWithUnknownDirective_Fails(string format) =>
        Assert.Equal(ChatTemplateFault.Evaluation, TemplateHarness.Fail($"{{{{ strftime_now('{format}') }}}}").Fault);

    [Fact]
    public void Render_Repeatedly_GivesTheSame()
    {
        var template = ChatTemplate.Parse(
            "{% set ns = namespace(n=0) %}{% macro f(x) %}<{{ x }}>{% endmacro %}{% for i in l %}{% set ns.n = ns.n + i %}{{ f(ns.n) }}{% endfor %}", "test");
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("<3><4><6>", template.Render(TemplateHarness.Values, RenderLimits.Default, TimeProvider.System));
        }
    }

    [Fact]
    public void Render_AfterAFailure_GivesTheSame()
    {
        var template = ChatTemplate.Parse("{% set x %}{{ l|join('-') }}{% endset %}{{ x }}{{ 1 / d.b if fail else '' }}{{ 1 / 0 if fail }}", "test");
        var failing = new Dictionary<string, TemplateValue>(TemplateHarness.Values) { ["fail"] = TemplateValue.From(true) };
        for (var i = 0; i < 3; i++)
        {
            Assert.Throws<ChatTemplateException>(() => template.Render(failing, RenderLimits.Default, TimeProvider.System));
            Assert.Equal("3-1-2", template.Render(TemplateHarness.Values, RenderLimits.Default, TimeProvider.System));
        }
    }

    [Fact]
    public void Render_FromSeveralThreads_GivesTheSame()
    {
        var template = ChatTemplate.Parse(
            "{% macro f(a) %}{% set x = a * 2 %}{{ x }}{{ caller(x) }}{% endmacro %}{% for i in range(50) %}{% call(y) f(i + n) %}({{ y }}){% endcall %}{% endfor %}", "test");
        Parallel.For(0, 64, n =>
        {
            var values = new Dictionary<string, TemplateValue> { ["n"] = TemplateValue.From(n) };
            var expected = string.Concat(Enumerable.Range(0, 50).Select(i => $"{(i + n) * 2}({(i + n) * 2})"));
            Assert.Equal(expected, template.Render(values, RenderLimits.Default, TimeProvider.System));
        });
    }

    private sealed class FixedClock(DateTimeOffset now, TimeZoneInfo zone) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => zone;

        public override DateTimeOffset GetUtcNow() => now;
    }
}
