using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>A number, text, true, false or none.</summary>
internal sealed class LiteralExpression(TemplateValue value, int line) : Expression(line, 0)
{
    public override string Construct => "literal";

    public TemplateValue Value => value;

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        return value;
    }
}

/// <summary><c>[a, b]</c> or <c>(a, b)</c>.</summary>
internal sealed class ArrayExpression(Expression[] items, bool isTuple, int line) : Expression(line, DeepestOf(items))
{
    public override string Construct => isTuple ? "tuple" : "list";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var values = state.NewArray(items.Length);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = items[i].Evaluate(state);
        }

        return isTuple ? TemplateValue.Tuple(values) : TemplateValue.List(values);
    }
}

/// <summary><c>{key: value}</c>.</summary>
internal sealed class MapExpression(KeyValuePair<Expression, Expression>[] entries, int line)
    : Expression(line, DeepestOf(entries.SelectMany(entry => new[] { entry.Key, entry.Value })))
{
    public override string Construct => "mapping";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        state.AllocateItems(entries.Length * 2L);
        var map = new MapValue();
        foreach (var (keyNode, valueNode) in entries)
        {
            var key = keyNode.Evaluate(state);
            var value = valueNode.Evaluate(state);
            state.Current = this;
            Comparison.RequireKey(state, key);
            map.Set(key, value);
        }

        return TemplateValue.Map(map);
    }
}
