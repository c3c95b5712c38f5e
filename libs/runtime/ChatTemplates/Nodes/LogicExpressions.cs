using Parallax.Runtime.ChatTemplates.Rendering;
using Parallax.Runtime.ChatTemplates.Values;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary><c>not a</c>.</summary>
internal sealed class NotExpression(Expression operand, int line) : Expression(line, operand.Depth)
{
    public override string Construct => "operator 'not'";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        return TemplateValue.From(!Truth.Of(operand.Evaluate(state)));
    }
}

/// <summary><c>a and b and c</c>, <c>a or b or c</c>: gives the operand that decided.</summary>
internal sealed class ShortCircuitExpression(Expression[] operands, bool isAnd, int line) : Expression(line, DeepestOf(operands))
{
    public override string Construct => isAnd ? "operator 'and'" : "operator 'or'";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var value = default(TemplateValue);
        foreach (var operand in operands)
        {
            value = operand.Evaluate(state);
            if (Truth.Of(value) != isAnd)
            {
                break;
            }
        }

        return value;
    }
}

/// <summary><c>a if condition else b</c>; without else, an undefined value.</summary>
internal sealed class ConditionalExpression(Expression condition, Expression then, Expression? otherwise, int line)
    : Expression(line, DeepestOf([condition, then, otherwise]))
{
    private static readonly TemplateValue Nothing =
        TemplateValue.Undefined(UndefinedOrigin.Hint("the inline 'if' was false and has no 'else'"));

    public override string Construct => "inline 'if'";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        return Truth.Of(condition.Evaluate(state)) ? then.Evaluate(state) : otherwise?.Evaluate(state) ?? Nothing;
    }
}

/// <summary><c>a &lt; b &lt;= c</c>, <c>a in b</c>: each operand is evaluated once, and not beyond the first false one.</summary>
internal sealed class ComparisonExpression(Expression first, ComparisonExpression.Link[] links, int line)
    : Expression(line, DeepestOf([first, .. links.Select(link => link.Operand)]))
{
    public override string Construct => links.Length == 1 ? $"operator '{links[0].Operator}'" : "comparison";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var left = first.Evaluate(state);
        foreach (var (operation, operand) in links)
        {
            var right = operand.Evaluate(state);
            state.Current = this;
            if (!Holds(state, operation, left, right))
            {
                return TemplateValue.False;
            }

            left = right;
        }

        return TemplateValue.True;
    }

    private static bool Holds(RenderState state, string operation, TemplateValue left, TemplateValue right) => operation switch
    {
        "==" => Comparison.Equal(state, left, right),
        "!=" => !Comparison.Equal(state, left, right),
        "in" => Comparison.Contains(state, right, left),
        "not in" => !Comparison.Contains(state, right, left),
        "<" => Comparison.Order(state, left, right, "'<'") < 0,
        "<=" => Comparison.Order(state, left, right, "'<='") <= 0,
        ">" => Comparison.Order(state, left, right, "'>'") > 0,
        _ => Comparison.Order(state, left, right, "'>='") >= 0,
    };

    internal readonly record struct Link(string Operator, Expression Operand);
}
