using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary><c>a.name</c>.</summary>
internal sealed class AttributeExpression(Expression owner, string name, int line) : Expression(line, owner.Depth)
{
    public override string Construct => $"attribute '{name}'";

    public Expression Owner => owner;

    public string Name => name;

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var value = owner.Evaluate(state);
        state.Current = this;
        return Lookup.Attribute(state, value, name);
    }
}

/// <summary><c>a[key]</c>.</summary>
internal sealed class ItemExpression(Expression owner, Expression key, int line)
    : Expression(line, Math.Max(owner.Depth, key.Depth))
{
    public override string Construct => "subscript";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var value = owner.Evaluate(state);
        var index = key.Evaluate(state);
        state.Current = this;
        return Lookup.Item(state, value, index);
    }
}

/// <summary><c>a[start:stop:step]</c>.</summary>
internal sealed class SliceExpression(Expression owner, Expression? start, Expression? stop, Expression? step, int line)
    : Expression(line, DeepestOf([owner, start, stop, step]))
{
    public override string Construct => "slice";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var value = owner.Evaluate(state);
        var first = start?.Evaluate(state) ?? default;
        var last = stop?.Evaluate(state) ?? default;
        var stride = step?.Evaluate(state) ?? default;
        state.Current = this;
        return Sequences.Slice(state, value, first, last, stride);
    }
}
