using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Syntax;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary><c>{% filter name %} ... {% endfilter %}</c>.</summary>
internal sealed class FilterBlockStatement(FilterCall[] filters, Block body, Scope scope, int line)
    : Statement(line, Math.Max(body.Depth, DeepestOf(filters)))
{
    public override string Construct => "tag 'filter'";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        var value = TemplateValue.From(body.Capture(state, new Frame(scope.SlotCount, state.Frame)));
        foreach (var filter in filters)
        {
            value = filter.Apply(state, value);
        }

        state.Current = this;
        PythonText.WriteText(state, state.Output, value);
        return Flow.Normal;
    }
}

/// <summary><c>{% generation %} ... {% endgeneration %}</c>: marks the assistant's text for training; a scope of its own.</summary>
internal sealed class GenerationStatement(Block body, Scope scope, int line) : Statement(line, body.Depth)
{
    public override string Construct => "tag 'generation'";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        var outer = state.Frame;
        state.Frame = new Frame(scope.SlotCount, outer);
        body.Execute(state);
        state.Frame = outer;
        return Flow.Normal;
    }
}

/// <summary><c>{% macro name(a, b=1) %} ... {% endmacro %}</c>.</summary>
internal sealed class MacroStatement(MacroDefinition definition, AssignTarget target, int line) : Statement(line, 0)
{
    public override string Construct => "tag 'macro'";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        state.Allocate(32);
        target.Assign(state, TemplateValue.Object(new MacroValue(definition, state.Frame)));
        return Flow.Normal;
    }
}

/// <summary><c>{% call(a) macro(...) %} ... {% endcall %}</c>: the body becomes the macro's <c>caller</c>.</summary>
internal sealed class CallBlockStatement(CallExpression call, MacroDefinition body, int line) : Statement(line, call.Depth)
{
    public override string Construct => "tag 'call'";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        state.Allocate(32);
        var caller = TemplateValue.Object(new MacroValue(body, state.Frame));
        var value = call.Evaluate(state, new NamedArgument("caller", caller));
        PythonText.WriteText(state, state.Output, value);
        return Flow.Normal;
    }
}
