using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>The one value that a template can change: <c>namespace()</c>, assigned by <c>set ns.name = value</c>.</summary>
internal sealed class NamespaceValue(MapValue attributes) : TemplateObject
{
    public override string TypeName => "Namespace";

    public void Set(string name, TemplateValue value) => attributes.Set(TemplateValue.From(name), value);

    public override TemplateValue GetAttribute(RenderState state, string name) =>
        attributes.TryGet(name, out var value) ? value : default;

    public override void WriteTo(RenderState state, TextBuffer buffer)
    {
        buffer.Write(state, "<Namespace ");
        PythonText.WriteRepr(state, buffer, TemplateValue.Map(attributes));
        buffer.Write(state, ">");
    }
}
