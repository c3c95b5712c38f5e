using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary><c>{% if %} {% elif %} {% else %}</c>.</summary>
internal sealed class IfStatement(IfStatement.Branch[] branches, Block? otherwise, int line)
    : Statement(line, Math.Max(
        branches.Max(branch => Math.Max(branch.Condition.Depth, branch.Body.Depth)), otherwise?.Depth ?? 0))
{
    public override string Construct => "tag 'if'";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        foreach (var (condition, body) in branches)
        {
            if (Truth.Of(condition.Evaluate(state)))
            {
                return body.Execute(state);
            }
        }

        return otherwise?.Execute(state) ?? Flow.Normal;
    }

    internal readonly record struct Branch(Expression Condition, Block Body);
}

/// <summary><c>{% break %}</c>, <c>{% continue %}</c>.</summary>
internal sealed class LoopControlStatement(Flow flow, int line) : Statement(line, 0)
{
    public override string Construct => flow == Flow.Break ? "tag 'break'" : "tag 'continue'";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        return flow;
    }
}
