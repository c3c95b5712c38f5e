using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary><c>a + b - c</c>, from left to right. A run of texts is joined in one go.</summary>
internal sealed class SumExpression(Expression first, SumExpression.Term[] terms, int line)
    : Expression(line, DeepestOf([first, .. terms.Select(term => term.Operand)]))
{
    public override string Construct => terms.Length == 1 ? $"operator '{(terms[0].IsAddition ? "+" : "-")}'" : "sum";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var total = first.Evaluate(state);
        TextBuffer? run = null;
        foreach (var (isAddition, operand) in terms)
        {
            var value = operand.Evaluate(state);
            state.Current = this;
            if (isAddition && terms.Length > 1 && IsPlainText(value) && (run is not null || IsPlainText(total)))
            {
                if (run is null)
                {
                    run = state.Rent();
                    run.Write(state, total.AsText);
                }

                run.Write(state, value.AsText);
                continue;
            }

            if (run is not null)
            {
                total = TemplateValue.From(state.Return(run));
                run = null;
            }

            total = isAddition ? Arithmetic.Add(state, total, value) : Arithmetic.Subtract(state, total, value);
        }

        return run is null ? total : TemplateValue.From(state.Return(run));
    }

    private static bool IsPlainText(TemplateValue value) => value.IsText && !value.IsMarkup;

    internal readonly record struct Term(bool IsAddition, Expression Operand);
}

/// <summary><c>a * b</c>, <c>a / b</c>, <c>a // b</c>, <c>a % b</c>, <c>a ** b</c>.</summary>
internal sealed class BinaryExpression(string operation, Expression left, Expression right, int line)
    : Expression(line, Math.Max(left.Depth, right.Depth))
{
    private readonly Func<RenderState, TemplateValue, TemplateValue, TemplateValue> _apply = operation switch
    {
        "*" => Arithmetic.Multiply,
        "/" => Arithmetic.Divide,
        "//" => Arithmetic.FloorDivide,
        "%" => Arithmetic.Modulo,
        _ => Arithmetic.Power,
    };

    public override string Construct => $"operator '{operation}'";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var first = left.Evaluate(state);
        var second = right.Evaluate(state);
        state.Current = this;
        return _apply(state, first, second);
    }
}

/// <summary><c>-a</c>, <c>+a</c>.</summary>
internal sealed class SignExpression(bool isNegative, Expression operand, int line) : Expression(line, operand.Depth)
{
    public override string Construct => isNegative ? "sign '-'" : "sign '+'";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var value = operand.Evaluate(state);
        state.Current = this;
        return isNegative ? Arithmetic.Negate(state, value) : Arithmetic.Plus(state, value);
    }
}

/// <summary><c>a ~ b ~ c</c>: the operands as texts, one after another.</summary>
internal sealed class JoinExpression(Expression[] operands, int line) : Expression(line, DeepestOf(operands))
{
    public override string Construct => "operator '~'";

    public override TemplateValue Evaluate(RenderState state)
    {
        state.Step(this);
        var buffer = state.Rent();
        foreach (var operand in operands)
        {
            var value = operand.Evaluate(state);
            state.Current = this;
            PythonText.WriteText(state, buffer, value);
        }

        return TemplateValue.From(state.Return(buffer));
    }
}
