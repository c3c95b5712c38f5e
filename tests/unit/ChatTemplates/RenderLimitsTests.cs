using System.Diagnostics;
using Parallax.Runtime.ChatTemplates;

namespace Parallax.UnitTests.ChatTemplates;

/// <summary>Hostile templates end soon, with the error of a limit.</summary>
public sealed class RenderLimitsTests
{
    /// <summary>Each would need time or memory without bound, or overflow the stack.</summary>
    public static TheoryData<string> Hostile { get; } = new()
    {
        "{{ 'x' * 10**9 }}",
        "{{ 'x' * 10**30 }}",
        "{{ ('x' * 10**6) * 10**6 }}",
        "{{ [0] * 10**9 }}",
        "{{ ([0] * 10**5) * 10**5 }}",
        "{{ range(10**12) }}",
        "{{ range(0 - 10**18, 10**18) }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ 'abc' }}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for a in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s|length }}",
        "{% set ns = namespace(s='ab') %}{% for a in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for a in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for a in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1], t=[1]) %}{% for a in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
        "{% set ns = namespace(s=(1,)) %}{% for a in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ {ns.s: 1} }}",
        "{% set ns = namespace(s=(1,)) %}{% for a in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ ns.s in {} }}",
        "{% set ns = namespace(s=[]) %}{% for a in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[]) %}{% for a in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s|tojson }}",
        "{% set ns = namespace(s=[], t=[]) %}{% for a in range(9999) %}{% set ns.s = [ns.s] %}{% set ns.t = [ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
        "{% set ns = namespace(s=[], t=[]) %}{% for a in range(9999) %}{% set ns.s = [ns.s] %}{% set ns.t = [ns.t] %}{% endfor %}{{ ns.s < ns.t }}",
        "{% set ns = namespace(s=()) %}{% for a in range(9999) %}{% set ns.s = (ns.s,) %}{% endfor %}{{ {ns.s: 1} }}",
        "{% set ns = namespace() %}{% set ns.self = ns %}{{ ns }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f(n) %}{{ f(n + 1) ~ f(n + 1) }}{% endmacro %}{{ f(0) }}",
        "{% macro f(x) %}{{ caller() }}{% endmacro %}{% macro g() %}{% call f(1) %}{{ g() }}{% endcall %}{% endmacro %}{{ g() }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ 10 ** 10 ** 10 ** 10 ** 10 }}",
        "{{ 2 ** 100000 }}",
        "{% set ns = namespace(n=3) %}{% for a in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%.999999999f' % 1.5 }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ 'a'.ljust(10**9) }}",
        "{{ 'a'.zfill(10**9) }}",
        "{{ 'a'|center(10**9) }}",
        "{{ 'a'|indent(10**9) }}",
        "{{ {'a': {'b': {'c': [1, 2]}}}|tojson(indent=10**9) }}",
        "{{ ('a' * 10**6).replace('a', 'b' * 10**6) }}",
        "{{ ('a' * 10**6).replace('', 'b' * 100) }}",
        "{{ ('b' * 10**6).join(['a'] * 10**4) }}",
        "{% set h = 'a' * 10**6 %}{% set n = 'a' * 10**5 + 'b' + 'a' * 10**5 %}{% for i in range(10**5) %}{{ n in h }}{% endfor %}",
        "{% set h = 'a' * 10**6 %}{% for i in range(10**5) %}{{ 'aaaaaaaaaaaaaaabaaaaaaaaaaaaaaa' in h }}{% endfor %}",
        "{% set h = 'a' * 10**6 %}{% for i in range(10**5) %}{{ h.count('a') }}{% endfor %}",
        "{% set h = 'a ' * 10**6 %}{% for i in range(10**5) %}{{ h.split()|length }}{% endfor %}",
        "{% set h = ' ' * 10**6 %}{% for i in range(10**5) %}{{ h.strip() }}{% endfor %}",
        "{% set h = 'x' * 10**6 %}{% set c = 'y' * 10**5 + 'x' %}{% for i in range(10**5) %}{{ h.strip(c) }}{% endfor %}",
        "{% set h = 'x' * 10**6 %}{% for i in range(10**5) %}{{ h.upper()|length }}{{ h|reverse|length }}{{ h.title()|length }}{% endfor %}",
        "{% set h = '\u00e9' * 10**6 %}{% for i in range(10**5) %}{{ h.lower()|length }}{{ h.isalpha() }}{{ h is lower }}{% endfor %}",
        "{% set h = '\U0001F600' * 10**6 %}{% for i in range(10**5) %}{{ h[500000] }}{{ h[1:5] }}{% endfor %}",
        "{% set h = ['a' * 10**5] * 10**4 %}{{ h|sort|length }}{{ h|unique|list|length }}{{ h|join }}",
        "{% set l = [2, 1] * 10**5 %}{% for i in range(10**5) %}{{ l|sort|length }}{{ l|sum }}{{ 3 in l }}{{ l.count(5) }}{{ l|max }}{% endfor %}",
        "{{ ['a']|map(*(['map'] * 10**5))|list }}",
        "{{ dict(**{}) }}{% macro f() %}{{ f(*([1] * 10**6), **kwargs) }}{{ varargs }}{% endmacro %}{{ f() }}",
        "{% for i in range(99999) %}{% for j in range(99999) if false %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(m=none) %}{% for i in range(99999) %}{% for j in range(99999) %}{% set ns.m = (ns.m, 'x' ~ i) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{% set x %}{{ 'abcdefgh' * 1000 }}{% endset %}{% endfor %}",
        "{% for i in range(99999) %}{{ 'abcdefgh' * 1000 }}{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% continue %}{% endfor %}{% endfor %}",
        "{% set s = '9' * 4000 %}{% for i in range(99999) %}{{ s|int }}{% endfor %}",
        "{% for i in range(99999) %}{{ '%.400f' % 1e-300 }}{{ 1e300|round(300) }}{% endfor %}",
        "{% set ns = namespace(f='a') %}{% for i in range(99999) %}{% set ns.f = ns.f|tojson %}{% endfor %}",
        "{% set a = range(99999)|list %}{% for x in a|batch(1) %}{% for y in a|slice(99999) %}{% endfor %}{% endfor %}",
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Render_HostileTemplate_ReachesALimitSoon(string template)
    {
        var clock = Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = TemplateHarness.Fail(template);
        Assert.Equal(ChatTemplateFault.Limit, error.Fault);
        Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"took {clock.Elapsed}");
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < 1L << 30, $"allocated {allocated >> 20} MiB");
    }

    [Fact]
    public void Render_EndlessRecursion_IsStoppedOnASmallStack()
    {
        ChatTemplateException? error = null;
        var thread = new Thread(
            () => error = TemplateHarness.Fail("{% macro f(n) %}{% if true %}{{ 1 + (2 * (f(n + 1)|length)) }}{% endif %}{% endmacro %}{{ f(0) }}"),
            maxStackSize: 256 << 10);
        thread.Start();
        thread.Join();
        Assert.Equal(ChatTemplateFault.Limit, error?.Fault);
    }

    [Fact]
    public void Render_MaxSteps_CountsNodesAndIterations()
    {
        const string template = "{% for i in range(100) %}{{ i }}{% endfor %}";
        Assert.Equal(190, TemplateHarness.Render(template, limits: new RenderLimits { MaxSteps = 1_000 }).Length);
        Assert.Equal(ChatTemplateFault.Limit, TemplateHarness.Fail(template, limits: new RenderLimits { MaxSteps = 200 }).Fault);
    }

    [Fact]
    public void Render_MaxOutputLength_IsExact()
    {
        const string template = "{{ 'abcde' }}{{ 'fghij' }}";
        Assert.Equal("abcdefghij", TemplateHarness.Render(template, limits: new RenderLimits { MaxOutputLength = 10 }));
        var error = TemplateHarness.Fail(template, limits: new RenderLimits { MaxOutputLength = 9 });
        Assert.Equal(ChatTemplateFault.Limit, error.Fault);
        Assert.Contains("9 characters", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_MaxDepth_BoundsMacroRecursion()
    {
        const string template = "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{% endif %}x{% endmacro %}{{ f(20) }}";
        Assert.Equal(21, TemplateHarness.Render(template).Length);
        Assert.Equal(ChatTemplateFault.Limit, TemplateHarness.Fail(template, limits: new RenderLimits { MaxDepth = 50 }).Fault);
    }

    [Fact]
    public void Render_MaxIntermediateSize_BoundsWhatIsNeverPrinted()
    {
        const string template = "{% set x = 'ab' * 100 %}ok";
        Assert.Equal("ok", TemplateHarness.Render(template, limits: new RenderLimits { MaxIntermediateSize = 200 }));
        Assert.Equal(
            ChatTemplateFault.Limit, TemplateHarness.Fail(template, limits: new RenderLimits { MaxIntermediateSize = 199 }).Fault);
    }

    /// <summary>Sources that nest without end, or chain without end.</summary>
    public static TheoryData<string, int, string> Deep { get; } = new()
    {
        { "(", 100_000, ")" },
        { "[", 100_000, "]" },
        { "{1:", 100_000, "}" },
        { "not ", 100_000, "" },
        { "-", 100_000, "" },
        { "f(", 100_000, ")" },
        { "1 if 1 else ", 50_000, "" },
        { "a[", 100_000, "]" },
        { "1 is eq [", 10_000, "]" },
    };

    [Theory]
    [MemberData(nameof(Deep))]
    public void Parse_NestingWithoutEnd_IsALimit(string open, int times, string close)
    {
        var source = "{{ " + Repeat(open, times) + "1" + Repeat(close, times) + " }}";
        Assert.Equal(ChatTemplateFault.Limit, TemplateHarness.Fail(source).Fault);
    }

    [Theory]
    [InlineData("a", ".b")]
    [InlineData("a", "|trim")]
    [InlineData("1", " * 1")]
    [InlineData("1", " ** 1")]
    [InlineData("a", "(1)")]
    [InlineData("a", "[0]")]
    [InlineData("a", " if 1")]
    [InlineData("a", " is defined is defined")]
    public void Parse_ChainWithoutEnd_IsAnErrorBeforeRendering(string start, string link)
    {
        var source = "{{ " + start + Repeat(link, 50_000) + " }}";
        Assert.Contains(TemplateHarness.Fail(source).Fault, new[] { ChatTemplateFault.Limit, ChatTemplateFault.Syntax });
    }

    [Theory]
    [InlineData("1", " + 1", "50001")]
    [InlineData("1", " or 1", "1")]
    [InlineData("1", " and 1", "1")]
    [InlineData("1", " == 1", "True")]
    public void Render_LongChainsThatAreFlat_Work(string start, string link, string expected) =>
        Assert.Equal(expected, TemplateHarness.Render("{{ " + start + Repeat(link, 50_000) + " }}"));

    [Theory]
    [InlineData("{% if 1 %}", "{% endif %}")]
    [InlineData("{% for i in [1] %}", "{% endfor %}")]
    [InlineData("{% set x %}", "{% endset %}")]
    [InlineData("{% macro m() %}", "{% endmacro %}")]
    [InlineData("{% filter upper %}", "{% endfilter %}")]
    [InlineData("{% with %}", "{% endwith %}")]
    [InlineData("{% generation %}", "{% endgeneration %}")]
    public void Parse_TagsNestedWithoutEnd_IsALimit(string open, string close) =>
        Assert.Equal(ChatTemplateFault.Limit, TemplateHarness.Fail(Repeat(open, 20_000) + Repeat(close, 20_000)).Fault);

    [Fact]
    public void Parse_SourceTooLong_IsALimit() =>
        Assert.Equal(ChatTemplateFault.Limit, TemplateHarness.Fail(new string('x', (1 << 20) + 1)).Fault);

    [Fact]
    public void Parse_ManyUnclosedTags_TakesLinearTime()
    {
        var clock = Stopwatch.StartNew();
        foreach (var piece in new[] { "{% raw %}", "{#", "{%", "{{", "'", "{{ '", "{% raw -%}{% endraw", "{ " })
        {
            var source = Repeat(piece, (1 << 20) / piece.Length);
            try
            {
                ChatTemplate.Parse(source, "test");
            }
            catch (ChatTemplateException error)
            {
                Assert.NotEqual(ChatTemplateFault.Evaluation, error.Fault);
            }
        }

        Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"took {clock.Elapsed}");
    }

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}
