using Parallax.Runtime.ChatTemplates.Rendering;

namespace Parallax.Runtime.ChatTemplates.Nodes;

/// <summary>Text between tags.</summary>
internal sealed class TextStatement(string text, int line) : Statement(line, 0)
{
    public override string Construct => "text";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        state.Output.Write(state, text);
        return Flow.Normal;
    }
}

/// <summary><c>{{ expression }}</c>.</summary>
internal sealed class OutputStatement(Expression expression, int line) : Statement(line, expression.Depth)
{
    public override string Construct => "output";

    public override Flow Execute(RenderState state)
    {
        state.Step(this);
        var value = expression.Evaluate(state);
        state.Current = this;
        PythonText.WriteText(state, state.Output, value);
        return Flow.Normal;
    }
}
