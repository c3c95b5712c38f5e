using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Syntax;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary><c>{% set target = value %}</c>.</summary>
internal sealed class SetStatement(AssignTarget target, Expression value, int line) : Statement(line, value.Depth)
{
    public override string Construct => "tag 'set'";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        target.Assign(state, value.Evaluate(state));
        return Flow.Normal;
    }
}

/// <summary><c>{% set target | filters %} ... {% endset %}</c>.</summary>
internal sealed class SetBlockStatement(AssignTarget target, FilterCall[] filters, Block body, Scope scope, int line)
    : Statement(line, Math.Max(body.Depth, DeepestOf(filters)))
{
    public override string Construct => "tag 'set'";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        var value = TemplateValue.From(body.Capture(state, new Frame(scope.SlotCount, state.Frame)));
        foreach (var filter in filters)
        {
            value = filter.Apply(state, value);
        }

        target.Assign(state, value);
        return Flow.Normal;
    }
}

/// <summary><c>{% with a = 1, b = 2 %} ... {% endwith %}</c>; the values see the outer scope only.</summary>
internal sealed class WithStatement(KeyValuePair<AssignTarget, Expression>[] bindings, Block body, Scope scope, int line)
    : Statement(line, Math.Max(body.Depth, DeepestOf(bindings.Select(binding => binding.Value))))
{
    public override string Construct => "tag 'with'";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        var outer = state.Frame;
        var frame = new Frame(scope.SlotCount, outer);
        foreach (var (target, expression) in bindings)
        {
            var value = expression.Evaluate(state);
            state.Frame = frame;
            target.Assign(state, value);
            state.Frame = outer;
        }

        state.Frame = frame;
        var flow = body.Execute(state);
        state.Frame = outer;
        return flow;
    }
}
