using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Values;

/// <summary>A function of the engine: a global such as <c>range</c>, or a method bound to its value.</summary>
internal sealed class FunctionValue(string name, Func<RenderState, CallArguments, TemplateValue> body) : TemplateObject
{
    public override string TypeName => "function";

    public override bool IsCallable => true;

    public override string Display => $"<function {name}>";

    public override TemplateValue Call(RenderState state, CallArguments arguments) => body(state, arguments);
}
