using BenchmarkDotNet.Attributes;
using Parallax.Runtime.ChatTemplates;
using Parallax.Runtime.Models;

namespace Parallax.Benchmarks.ChatTemplates;

/// <summary>The bundled model's template over conversations.</summary>
[MemoryDiagnoser]
public class ChatTemplateBenchmarks
{
    private string _source = "";
    private ChatTemplate _template = null!;
    private Dictionary<string, TemplateValue> _values = [];

    [Params(1, 40)]
    public int Messages { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        using var model = ModelSource.Open(DemoModel.Folder);
        _source = model.ChatTemplate!;
        _template = ChatTemplate.Parse(_source, "demo");
        _values = new Dictionary<string, TemplateValue>
        {
            ["messages"] = TemplateValue.FromList(Enumerable.Range(0, Messages).Select(static i => TemplateValue.FromMap(
            [
                new("role", TemplateValue.From(i % 2 == 0 ? "user" : "assistant")),
                new("content", TemplateValue.From("What is the capital of France?")),
            ]))),
            ["add_generation_prompt"] = TemplateValue.From(true),
        };
    }

    [Benchmark]
    public ChatTemplate Parse() => ChatTemplate.Parse(_source, "demo");

    [Benchmark]
    public int Render() => _template.Render(_values, RenderLimits.Default, TimeProvider.System).Length;
}
